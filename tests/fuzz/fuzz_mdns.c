/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a message of mDNS, as one of SSDP and as a packet. What passes
 * of mDNS passes again unchanged, and names nothing that is not listed.
 */
#include "modules/discovery/datagram.h"
#include "modules/discovery/mdns.h"
#include "modules/discovery/ssdp.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_mdns(const uint8_t *data, size_t size)
{
	static struct mdns_filter filter;
	uint8_t once[MDNS_BYTES], twice[MDNS_BYTES];
	size_t n = 0, again = 0;

	memset(&filter, 0, sizeof(filter));
	fuzz_require(mdns_add_service(&filter, "_ipp._tcp") == 0);
	if (mdns_reduce(&filter, data, size, 1000, once, &n) < 0 || !n)
		return;
	fuzz_require(n <= MDNS_BYTES);
	fuzz_require(mdns_reduce(&filter, once, n, 1000, twice, &again) == 0);
	fuzz_require(n == again && memcmp(once, twice, n) == 0);
}

static void check_ssdp(const uint8_t *data, size_t size)
{
	struct ssdp_message m;

	if (ssdp_read(data, size, &m) < 0)
		return;
	fuzz_require((const uint8_t *)m.target >= data);
	fuzz_require((const uint8_t *)m.target + m.length <= data + size);
	(void)ssdp_about(&m, "urn:dial-multiscreen-org:service:dial");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct datagram d;

	check_mdns(data, size);
	check_ssdp(data, size);
	if (datagram_decode(data, size, &d) == 0) {
		fuzz_require(d.bytes >= data);
		fuzz_require(d.bytes + d.size <= data + size);
		check_mdns(d.bytes, d.size);
	}
	return 0;
}
