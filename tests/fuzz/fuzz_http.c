/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a device sends on one connection. However they are cut
 * into pieces, the same bytes must be let through; and whatever is let
 * through as heads must, read again, be for one and the same host.
 */
#include <string.h>

#include "agent/lib/cleanup.h"
#include "modules/proxy/certname.h"
#include "modules/proxy/track.h"
#include "tests/fuzz/fuzz.h"

struct outcome {
	size_t clear;
	int error;
	char host[HTTP_HOST_SIZE];
	unsigned requests;
};

/* As a relay does: a buffer of at most one head, refilled from the stream. */
static struct outcome run(const uint8_t *data, size_t size, size_t piece)
{
	struct outcome o = {0};
	struct track track;
	const char *reason = NULL;
	size_t n, end = 0;

	track_init(&track, 80);
	while (o.error == 0 && end < size) {
		end += piece < size - end ? piece : size - end;
		o.error = track_request(
			&track, data + o.clear, end - o.clear, &n, &reason);
		fuzz_require(n <= end - o.clear);
		fuzz_require(o.error == 0 || (reason && reason[0]));
		o.clear += n;
	}
	memcpy(o.host, track.host, sizeof(o.host));
	o.requests = track.requests;
	return o;
}

static void check_heads(const uint8_t *data, size_t size)
{
	struct http_head head;
	const char *reason;

	if (http_head_read((const char *)data, size, &head, &reason) < 0)
		return;
	fuzz_require(certname_is_host(head.host));
	fuzz_require(memchr(data, '\0', size) == NULL ||
		     memmem(data, size, "\r\n\r\n", 4) != NULL);
	fuzz_require(head.body == HTTP_BODY_CHUNKED ||
		     head.length < UINT64_C(1000000000000000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 2, 3, 7, 64, 1000};
	struct outcome whole, cut;

	if (size > 6000)
		return 0;
	whole = run(data, size, size ? size : 1);
	fuzz_require((whole.requests > 0) == (whole.host[0] != '\0'));
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		cut = run(data, size, pieces[i]);
		fuzz_require(cut.clear == whole.clear);
		fuzz_require(cut.error == whole.error);
		fuzz_require(cut.requests == whole.requests);
		fuzz_require(strcmp(cut.host, whole.host) == 0);
	}
	check_heads(data, size);
	return 0;
}
