/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a capture file: frame by frame to the evidence, as
 * gatehouse-discover does it, and then to a match; and as a list of vendors.
 */
#include <string.h>

#include "modules/discovery/discover/pcap.h"
#include "modules/discovery/match/book.h"
#include "modules/discovery/match/gather.h"
#include "modules/discovery/match/oui.h"
#include "modules/discovery/match/products.h"
#include "tests/fuzz/fuzz.h"

static void on_evidence(
	void *arg, const struct mac *mac, unsigned kind, const char *value)
{
	fuzz_require(book_add(arg, mac, kind, value, 1) == 0);
}

static void check_capture(struct bytes file)
{
	struct book book = {0};
	struct gather gather = {.tell = on_evidence, .arg = &book};
	struct bytes head, frame;
	struct pcap_record record;
	struct pcap pcap;

	if (!bytes_take(&file, PCAP_HEAD, &head) ||
		pcap_read_head(head.at, &pcap) < 0)
		return;
	while (bytes_take(&file, PCAP_RECORD, &head) &&
		pcap_read_record(&pcap, head.at, &record) == 0 &&
		bytes_take(&file, record.size, &frame)) {
		fuzz_require(record.size <= PCAP_FRAME_MAX);
		gather_frame(&gather, frame);
	}
	book_sort(&book);
	fuzz_require(book.n_items <= BOOK_ITEMS_MAX);
	book_clear(&book);
}

static void check_vendors(struct bytes file)
{
	struct oui_wanted wanted[] = {
		{.mac = {{0, 0, 0, 0, 0, 1}}}, {.mac = {{0, 0x55, 0xda}}}};
	struct oui_reader reader = {.wanted = wanted, .n = 2};

	oui_feed(&reader, (const char *)file.at, file.size);
	oui_finish(&reader);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		fuzz_require(memchr(wanted[i].name, 0, OUI_NAME) != NULL);
}

static void check_conditions(struct bytes file)
{
	struct products_condition condition;
	char text[CONF_LINE_MAX + 1] = "";
	const char *rest = text;

	memcpy(text, file.at,
		file.size < CONF_LINE_MAX ? file.size : CONF_LINE_MAX);
	while (products_next_condition(&rest, &condition) > 0)
		(void)products_fits(condition.pattern, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes file = {data, size};

	check_capture(file);
	check_vendors(file);
	if (size)
		check_conditions(file);
	return 0;
}
