/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes the ledger's file. Touches the files of its own names in
 * the given folder only; must never take what another boot changed for this
 * one's.
 */
#include <errno.h>
#include <string.h>

#include "modules/isolation/ledger.h"

int ledger_load(int folder, struct ledger *ret_ledger)
{
	_cleanup_(cleanup_free) char *text = NULL;
	char boot[LEDGER_BOOT];
	size_t length = 0;
	int r = file_read_boot(boot);

	if (r < 0)
		return r;
	r = file_read(folder, LEDGER_FILE, LEDGER_BYTES_MAX, &text, &length);
	if (r == 0)
		r = ledger_parse(text, length, ret_ledger);
	if (r < 0 && r != -ENOENT)
		return r == -EFBIG ? -EBADMSG : r;
	/* What another boot changed went with it. */
	if (r == -ENOENT || strcmp(ret_ledger->boot, boot) != 0)
		ret_ledger->n = 0;
	memcpy(ret_ledger->boot, boot, sizeof(boot));
	return 0;
}

int ledger_store(int folder, const struct ledger *ledger)
{
	_cleanup_(cleanup_free) char *text = NULL;

	if (ledger->n == 0)
		return file_remove(folder, LEDGER_FILE);
	text = ledger_format(ledger);
	return file_replace(folder, LEDGER_FILE, text, strlen(text), 0600);
}
