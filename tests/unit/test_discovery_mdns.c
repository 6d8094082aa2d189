/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of discovery taken apart: names with all their pointers, what of a
 * message of mDNS may pass, heads of SSDP, datagrams in packets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "modules/discovery/datagram.h"
#include "modules/discovery/mdns.h"
#include "modules/discovery/ssdp.h"

#define NOW 1000000

/* A message in the making. */
static uint8_t bytes[4096];
static size_t used;

static void put(const void *data, size_t size)
{
	memcpy(bytes + used, data, size);
	used += size;
}

static void put16(unsigned value)
{
	uint8_t b[] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(b, 2);
}

static void put_name(const char *text)
{
	struct dns_name name;

	assert_int_equal(dns_parse_name(text, "", &name), 0);
	put(name.bytes, name.length);
}

static void begin(unsigned flags, unsigned questions, unsigned answers)
{
	used = 0;
	put16(7);
	put16(flags);
	put16(questions);
	put16(answers);
	put16(0);
	put16(0);
}

static void ask(const char *name, unsigned type, unsigned class)
{
	put_name(name);
	put16(type);
	put16(class);
}

static void head(const char *name, unsigned type, unsigned length)
{
	ask(name, type, 0x8001);
	put16(0);
	put16(120);
	put16(length);
}

static void add_ptr(const char *name, const char *target)
{
	struct dns_name n;

	assert_int_equal(dns_parse_name(target, "", &n), 0);
	head(name, 12, n.length);
	put(n.bytes, n.length);
}

static void add_srv(const char *name, const char *host)
{
	struct dns_name n;

	assert_int_equal(dns_parse_name(host, "", &n), 0);
	head(name, 33, n.length + 6u);
	put("\0\0\0\0\2\x77", 6);
	put(n.bytes, n.length);
}

static void add_a(const char *name, uint8_t last)
{
	uint8_t ip[] = {192, 0, 2, last};

	head(name, 1, 4);
	put(ip, 4);
}

static struct mdns_filter *filter_of(const char *service)
{
	static struct mdns_filter filter;

	memset(&filter, 0, sizeof(filter));
	assert_int_equal(mdns_add_service(&filter, service), 0);
	return &filter;
}

static uint8_t out[MDNS_BYTES];
static size_t out_size;

static int reduce(struct mdns_filter *filter, int64_t now_ms)
{
	out_size = 0xdead;
	return mdns_reduce(filter, bytes, used, now_ms, out, &out_size);
}

static unsigned count(unsigned section)
{
	return (unsigned)out[4 + section * 2] << 8 | out[5 + section * 2];
}

static bool holds(const char *word)
{
	return out_size && memmem(out, out_size, word, strlen(word));
}

static void names(void **state)
{
	static const uint8_t good[] = "\0\3ipp\5local\0\1x\xc0\1";
	static const uint8_t loop[] = "\1x\xc0\0", forward[] = "\xc0\2\0";
	struct dns_reader r = {good, sizeof(good) - 1, 12};
	struct dns_name name, same, end;
	size_t second = 0;

	(void)state;
	assert_int_equal(dns_read_name(&r, &name), 0);
	assert_int_equal(r.at, 16);
	assert_int_equal(dns_parse_name("X.IPP.Local", "", &same), 0);
	assert_true(dns_same(&name, &same));
	assert_int_equal(dns_parse_name("ipp", "local", &end), 0);
	assert_int_equal(dns_before(&name, &end, &second), 1);
	assert_int_equal(dns_before(&end, &end, &second), 0);
	assert_int_equal(dns_before(&end, &name, &second), -1);
	r = (struct dns_reader){loop, sizeof(loop) - 1, 0};
	assert_int_equal(dns_read_name(&r, &name), -EBADMSG);
	r = (struct dns_reader){forward, sizeof(forward) - 1, 0};
	assert_int_equal(dns_read_name(&r, &name), -EBADMSG);
	assert_int_equal(dns_parse_name("a..b", "", &name), -EINVAL);
	assert_int_equal(dns_parse_name("a.", "", &name), -EINVAL);
}

/* 64 labels of three letters are one byte too many. */
static void long_names(void **state)
{
	uint8_t text[300] = {0};
	struct dns_reader r = {text, sizeof(text), 0};
	struct dns_name name;

	(void)state;
	for (int i = 0; i < 63; i++)
		memcpy(text + i * 4, "\3abc", 4);
	assert_int_equal(dns_read_name(&r, &name), 0);
	assert_int_equal(name.length, 253);
	memcpy(text + 63 * 4, "\3abc", 4);
	r.at = 0;
	assert_int_equal(dns_read_name(&r, &name), -EBADMSG);
	text[0] = 64;
	r.at = 0;
	assert_int_equal(dns_read_name(&r, &name), -EBADMSG);
}

static void questions(void **state)
{
	struct mdns_filter *f = filter_of("_ipp._tcp");

	(void)state;
	begin(0, 4, 0);
	ask("_ssh._tcp.local", 12, 1);
	ask("_IPP._tcp.local", 12, 0x8001);
	ask("x._sub._ipp._tcp.local", 12, 1);
	ask("printer.local", 1, 1);
	assert_int_equal(reduce(f, NOW), 0);
	assert_int_equal(count(0), 2);
	assert_true(holds("_IPP"));
	assert_false(holds("_ssh") || holds("printer"));
	/* Its number is forgotten, and nobody is to answer in private. */
	assert_memory_equal(out, "\0\0\0\0", 4);
	assert_null(memmem(out, out_size, "\0\x0c\x80\1", 4));
	begin(0, 1, 0);
	ask("_services._dns-sd._udp.local", 12, 1);
	assert_int_equal(reduce(f, NOW), 0);
	assert_int_equal(out_size, 0);
}

/* Names that only look like the service. */
static void lookalikes(void **state)
{
	static const char *const bad[] = {"_ipp._tcp.local.example",
		"a_ipp._tcp.local", "_ipp._tcp", "a.b._ipp._tcp.local",
		"_ipp._udp.local", "a.sub._ipp._tcp.local"};
	struct mdns_filter *f = filter_of("_ipp._tcp");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(0, 1, 0);
		ask(bad[i], 12, 1);
		assert_int_equal(reduce(f, NOW), 0);
		assert_int_equal(out_size, 0);
	}
	begin(0x8400, 0, 1);
	add_ptr("_ipp._tcp.local", "x._ssh._tcp.local");
	assert_int_equal(reduce(f, NOW), 0);
	assert_int_equal(out_size, 0);
}

static void offer(const char *host)
{
	begin(0x8400, 0, 5);
	add_ptr("_ipp._tcp.local", "Office._ipp._tcp.local");
	add_srv("Office._ipp._tcp.local", host);
	add_a(host, 7);
	add_a("other.local", 8);
	add_ptr("_ssh._tcp.local", "x._ssh._tcp.local");
}

static void answers(void **state)
{
	struct mdns_filter *f = filter_of("_ipp._tcp");

	(void)state;
	/* Whose address is asked for is known only once it offers something. */
	begin(0, 1, 0);
	ask("printer.local", 28, 1);
	assert_int_equal(reduce(f, NOW), 0);
	assert_int_equal(out_size, 0);
	offer("printer.local");
	assert_int_equal(reduce(f, NOW), 0);
	assert_int_equal(count(1), 3);
	assert_true(holds("Office") && memmem(out, out_size, "\xc0\0\2\7", 4));
	assert_false(holds("_ssh") || holds("other") ||
		     memmem(out, out_size, "\xc0\0\2\10", 4));
	assert_true(out_size < used);
	begin(0, 1, 0);
	ask("PRINTER.local", 28, 1);
	assert_int_equal(reduce(f, NOW + 1), 0);
	assert_int_equal(count(0), 1);
	assert_int_equal(reduce(f, NOW + MDNS_HOST_MS), 0);
	assert_int_equal(out_size, 0);
}

/* What was written is read as what it was, and again the same. */
static void twice(void **state)
{
	struct mdns_filter *f = filter_of("_ipp._tcp");
	uint8_t first[MDNS_BYTES];
	size_t size;

	(void)state;
	offer("printer.local");
	assert_int_equal(reduce(f, NOW), 0);
	size = out_size;
	memcpy(first, out, size);
	memcpy(bytes, out, size);
	used = size;
	assert_int_equal(reduce(f, NOW), 0);
	assert_int_equal(out_size, size);
	assert_memory_equal(out, first, size);
}

static void many_hosts(void **state)
{
	struct mdns_filter *f = filter_of("_ipp._tcp");
	char host[32];

	(void)state;
	for (int i = 0; i < MDNS_HOSTS_MAX + 5; i++) {
		snprintf(host, sizeof(host), "h%d.local", i);
		offer(host);
		assert_int_equal(reduce(f, NOW), 0);
		assert_int_equal(count(1), i < MDNS_HOSTS_MAX ? 3 : 2);
	}
	assert_int_equal(f->n_hosts, MDNS_HOSTS_MAX);
	/* Places that are over are given away. */
	offer("late.local");
	assert_int_equal(reduce(f, NOW + MDNS_HOST_MS + 1), 0);
	assert_int_equal(count(1), 3);
}

/* Cut anywhere, it is nothing, and nobody has learned from it. */
static void cut_messages(void **state)
{
	struct mdns_filter *f = filter_of("_ipp._tcp");
	size_t whole;

	(void)state;
	offer("printer.local");
	whole = used;
	for (used = 0; used < whole; used++)
		assert_int_equal(reduce(f, NOW), -EBADMSG);
	assert_int_equal(f->n_hosts, 0);
}

static void broken_messages(void **state)
{
	struct mdns_filter *f = filter_of("_ipp._tcp");

	(void)state;
	begin(0x8400, 0, 1);
	head("_ipp._tcp.local", 12, 3); /* a target longer than its record */
	put_name("x._ipp._tcp.local");
	assert_int_equal(reduce(f, NOW), -EBADMSG);
	begin(0x8400, 0, 1);
	head("printer.local", 1, 5); /* an address of five bytes */
	put("12345", 5);
	assert_int_equal(reduce(f, NOW), -EBADMSG);
	begin(0x8400, 0, 1);
	head("Office._ipp._tcp.local", 33, 2);
	put("12", 2);
	assert_int_equal(reduce(f, NOW), -EBADMSG);
	begin(0x2800, 0, 0); /* another opcode */
	assert_int_equal(reduce(f, NOW), -EBADMSG);
	begin(0, MDNS_RECORDS_MAX + 1, 0);
	for (int i = 0; i <= MDNS_RECORDS_MAX; i++)
		ask("_ipp._tcp.local", 12, 1);
	assert_int_equal(reduce(f, NOW), -EBADMSG);
}

static void large_messages(void **state)
{
	struct mdns_filter *f = filter_of("_ipp._tcp");
	static const uint8_t text[800];

	(void)state;
	begin(0x8400, 0, 2);
	for (int i = 0; i < 2; i++) {
		head("Office._ipp._tcp.local", 16, sizeof(text));
		put(text, sizeof(text));
	}
	assert_int_equal(reduce(f, NOW), -EMSGSIZE);
}

static void services(void **state)
{
	struct mdns_filter f = {0};

	(void)state;
	for (int i = 0; i < MDNS_SERVICES_MAX; i++)
		assert_int_equal(mdns_add_service(&f, "_x._tcp"), 0);
	assert_int_equal(mdns_add_service(&f, "_x._tcp"), -ENOSPC);
	f.n_services = 0;
	assert_int_equal(mdns_add_service(&f, "_x..tcp"), -EINVAL);
}

#define DIAL "urn:dial-multiscreen-org:service:dial"

static int read_ssdp(const char *text, struct ssdp_message *m)
{
	return ssdp_read((const uint8_t *)text, strlen(text), m);
}

static void ssdp_messages(void **state)
{
	struct ssdp_message m;

	(void)state;
	assert_int_equal(read_ssdp("M-SEARCH * HTTP/1.1\r\nMX: 1\r\nst:  " DIAL
				   ":1 \r\n\r\n",
				 &m),
		0);
	assert_int_equal(m.kind, SSDP_KIND_SEARCH);
	assert_true(ssdp_about(&m, DIAL));
	assert_true(ssdp_about(&m, DIAL ":1"));
	assert_false(ssdp_about(&m, DIAL ":2"));
	assert_false(ssdp_about(&m, "urn:dial"));
	assert_int_equal(
		read_ssdp("NOTIFY * HTTP/1.1\r\nNT: " DIAL ":x\r\n\r\n", &m),
		0);
	assert_int_equal(m.kind, SSDP_KIND_ANNOUNCE);
	assert_false(ssdp_about(&m, DIAL));
	assert_int_equal(
		read_ssdp("HTTP/1.1 200 OK\nST: upnp:rootdevice\n\n", &m), 0);
	assert_int_equal(m.kind, SSDP_KIND_ANSWER);
	assert_true(ssdp_about(&m, "upnp:rootdevice"));
}

static void ssdp_rubbish(void **state)
{
	static const char *const bad[] = {"", "\r\n\r\n",
		"GET / HTTP/1.1\r\nST: x\r\n\r\n",
		"M-SEARCH * HTTP/1.1\r\n\r\n",
		"M-SEARCH * HTTP/1.1\r\nST: x\r\n",
		/* Who reads the last, and who the first one? */
		"M-SEARCH * HTTP/1.1\r\nST: x\r\nST: y\r\n\r\n",
		"M-SEARCH * HTTP/1.1\r\nST: x\r\n y\r\n\r\n",
		"M-SEARCH * HTTP/1.1\r\nST: x\r\n\r\nmore",
		"M-SEARCH * HTTP/1.1\r\nST: x\1\r\n\r\n",
		"M-SEARCH * HTTP/1.1\r\nST: x\rST: y\r\n\r\n"};
	static char large[SSDP_BYTES + 2] = "M-SEARCH * HTTP/1.1\r\nST: ";
	struct ssdp_message m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(read_ssdp(bad[i], &m), -EBADMSG);
	memset(large + strlen(large), 'x', SSDP_BYTES - 4 - strlen(large));
	memcpy(large + SSDP_BYTES - 4, "\r\n\r\n", 4);
	assert_int_equal(ssdp_read((const uint8_t *)large, SSDP_BYTES, &m), 0);
	assert_int_equal(ssdp_read((const uint8_t *)large, SSDP_BYTES + 1, &m),
		-EBADMSG);
}

static void datagrams(void **state)
{
	uint8_t p[60] = {0x45, 0, 0, 0, 0, 0, 0, 0, 255, 17, 0, 0, 192, 168, 1,
		7, 224, 0, 0, 251, 0x14, 0xe9, 0x14, 0xe9, 0, 11, 0, 0, 'a',
		'b', 'c', 'd'};
	struct datagram d;

	(void)state;
	assert_int_equal(datagram_decode(p, 32, &d), 0);
	assert_int_equal(d.from_port, 5353);
	assert_int_equal(d.size, 3); /* as it says, not what lies behind */
	assert_memory_equal(d.bytes, "abc", 3);
	assert_true(datagram_to_many(&d));
	for (size_t n = 0; n < 31; n++)
		assert_int_equal(datagram_decode(p, n, &d), -EBADMSG);
	p[25] = 7; /* shorter than its own head */
	assert_int_equal(datagram_decode(p, 32, &d), -EBADMSG);
	p[25] = 11;
	p[6] = 0x20; /* a fragment */
	assert_int_equal(datagram_decode(p, 32, &d), -EBADMSG);
	p[6] = 0;
	p[0] = 0x46;
	assert_int_equal(datagram_decode(p, 32, &d), -EBADMSG);
	memset(p, 0, sizeof(p));
	p[0] = 0x60;
	p[6] = 17;
	p[24] = 0xff;
	p[45] = 10;
	p[48] = 'x';
	assert_int_equal(datagram_decode(p, 49, &d), -EBADMSG);
	p[44] = 0;
	p[45] = 9;
	memcpy(p + 40, "\0\1\0\2\0\11", 6);
	assert_int_equal(datagram_decode(p, 49, &d), 0);
	assert_int_equal(d.size, 1);
	assert_true(datagram_to_many(&d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(long_names),
		cmocka_unit_test(questions),
		cmocka_unit_test(lookalikes),
		cmocka_unit_test(answers),
		cmocka_unit_test(twice),
		cmocka_unit_test(many_hosts),
		cmocka_unit_test(cut_messages),
		cmocka_unit_test(broken_messages),
		cmocka_unit_test(large_messages),
		cmocka_unit_test(services),
		cmocka_unit_test(ssdp_messages),
		cmocka_unit_test(ssdp_rubbish),
		cmocka_unit_test(datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
