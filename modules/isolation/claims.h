/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a caught packet means, in the words of isolation_proto.h. Pure. */
#ifndef GATEHOUSE_ISOLATION_CLAIMS_H
#define GATEHOUSE_ISOLATION_CLAIMS_H

#include "modules/isolation/rules/ruleset.h"

struct isolation_spoof claims_explain(const struct policy *policy,
	const struct topology *topology, const struct ruleset_carry *carry,
	const struct ruleset_spoof *caught);

#endif
