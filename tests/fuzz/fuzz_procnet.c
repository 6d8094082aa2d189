/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the kernel's tables: nothing is written past the lists. */
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/procnet.h"
#include "tests/fuzz/fuzz.h"

#define ROOM 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct procnet_socket sockets[ROOM];
	struct procnet_fdb fdb[ROOM];
	char *text = calloc(1, size + 1);
	char name[16] = "";

	fuzz_require(text != NULL);
	if (size)
		memcpy(text, data, size);
	for (int i = 0; i < 4; i++)
		fuzz_require(procnet_parse_sockets(text, i & 1, i & 2, sockets,
				     0, ROOM) <= ROOM);
	if (procnet_default4(text, name) == 0)
		fuzz_require(memchr(name, 0, sizeof(name)) && name[0]);
	if (procnet_default6(text, name) == 0)
		fuzz_require(memchr(name, 0, sizeof(name)) && name[0]);
	fuzz_require(procnet_parse_fdb(data, size, fdb, ROOM) <= ROOM);
	free(text);
	return 0;
}
