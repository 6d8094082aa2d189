/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The format of the saved file: bytes together and apart again. Touches
 * memory only; must never look past the size it was given, nor call a file
 * good of which one bit is wrong.
 */
#include "modules/isolation/saved.h"

#include <errno.h>
#include <string.h>

#define HEADER sizeof(struct saved_header)

static uint32_t crc32(uint32_t crc, const uint8_t *bytes, size_t n)
{
	static uint32_t table[256];

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
		table[i] = c;
	}
	crc = ~crc;
	while (n--)
		crc = table[(crc ^ *bytes++) & 0xff] ^ crc >> 8;
	return ~crc;
}

static uint32_t checksum(
	struct saved_header header, const uint8_t *records, size_t n)
{
	header.checksum = 0;
	return crc32(crc32(0, (const void *)&header, HEADER), records, n);
}

static int make_room(struct saved *saved, size_t more)
{
	size_t room = saved->room ? saved->room : 4096;
	uint8_t *bytes;

	if (!saved->length)
		saved->length = HEADER;
	if (saved->length + more > SAVED_BYTES_MAX)
		return -ENOSPC;
	while (room < saved->length + more)
		room *= 2;
	if (room == saved->room)
		return 0;
	bytes = realloc(saved->bytes, room);
	if (!bytes)
		return -ENOMEM;
	saved->bytes = bytes;
	saved->room = room;
	return 0;
}

int saved_add(
	struct saved *saved, uint16_t type, const void *item, uint16_t size)
{
	struct saved_record record = {type, size};
	int r = make_room(saved, sizeof(record) + size);

	if (r < 0)
		return r;
	memcpy(saved->bytes + saved->length, &record, sizeof(record));
	memcpy(saved->bytes + saved->length + sizeof(record), item, size);
	saved->length += sizeof(record) + size;
	saved->count++;
	return 0;
}

int saved_seal(struct saved *saved)
{
	int r = make_room(saved, 0);
	struct saved_header header = {.magic = SAVED_MAGIC,
		.version = SAVED_VERSION,
		.count = saved->count,
		.length = (uint32_t)(saved->length - HEADER)};

	if (r < 0)
		return r;
	header.checksum = checksum(
		header, saved->bytes + HEADER, header.length);
	memcpy(saved->bytes, &header, HEADER);
	return 0;
}

void saved_cut(struct saved *saved, size_t length, uint32_t count)
{
	saved->length = length;
	saved->count = count;
}

void saved_free(struct saved *saved)
{
	free(saved->bytes);
	memset(saved, 0, sizeof(*saved));
}

static int check_records(const uint8_t *bytes, size_t size, uint32_t count)
{
	struct saved_record record;
	const uint8_t *item;
	size_t offset = 0;
	int r;

	while ((r = saved_next(bytes, size, &offset, &record, &item)) > 0)
		if (!count--)
			return -EBADMSG;
	return r < 0 || count ? -EBADMSG : 0;
}

int saved_check(const void *bytes, size_t size)
{
	struct saved_header header;

	if (size < HEADER || size > SAVED_BYTES_MAX)
		return -EBADMSG;
	memcpy(&header, bytes, HEADER);
	if (header.magic != SAVED_MAGIC || header.length != size - HEADER)
		return -EBADMSG;
	if (header.checksum != checksum(header, (const uint8_t *)bytes + HEADER,
				       header.length))
		return -EBADMSG;
	if (header.version != SAVED_VERSION)
		return -EPROTO;
	return check_records(bytes, size, header.count);
}

int saved_next(const void *bytes, size_t size, size_t *offset,
	struct saved_record *ret_record, const uint8_t **ret_item)
{
	size_t at = *offset ? *offset : HEADER;
	struct saved_record record;

	if (at >= size)
		return at == size ? 0 : -EBADMSG;
	if (size - at < sizeof(record))
		return -EBADMSG;
	memcpy(&record, (const uint8_t *)bytes + at, sizeof(record));
	at += sizeof(record);
	if (size - at < record.size)
		return -EBADMSG;
	*ret_record = record;
	*ret_item = (const uint8_t *)bytes + at;
	*offset = at + record.size;
	return 1;
}
