/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What devices said of themselves, and what they tried. */
#ifndef GATEHOUSE_REGISTRY_EVIDENCE_H
#define GATEHOUSE_REGISTRY_EVIDENCE_H

#include "modules/registry/registry_proto.h"
#include "modules/registry/store.h"

#define EVIDENCE_AGAIN_S 3600 /* the same once more is written this often */

/*
 * Keeps it if its device is known and there is room: of one device the oldest
 * goes, of strangers together no more is taken (-ENOSPC). -ENOENT.
 */
_must_check_ int evidence_add(struct store *store,
	const struct registry_evidence *evidence, int64_t now);
/* Adds to what it tried before; as above. */
_must_check_ int evidence_denied(
	struct store *store, const struct registry_denied *denied, int64_t now);

#endif
