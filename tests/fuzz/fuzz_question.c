/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any words as a question of a local user: refused, or one kind of target
 * with a protocol and port that fit. Input: protocol, port and target with a
 * NUL between them.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "modules/bus/question_parse.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_question q = {.port = 7};
	char text[256] = "", *port, *to;
	int r;

	if (size >= sizeof(text) - 4)
		return 0;
	memcpy(text, data, size);
	port = text + strlen(text) + 1;
	to = port + strlen(port) + 1;
	r = question_parse(text, (uint16_t)strtoul(port, NULL, 10), to, &q);
	if (r < 0) {
		fuzz_require(r == -EINVAL && q.port == 7 && !q.protocol);
		return 0;
	}
	fuzz_require((q.protocol == IPPROTO_ICMP) == (q.port == 0));
	fuzz_require(!!q.to_device + !!q.gateway + !!q.to.family == 1);
	return 0;
}
