/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the ClientHello of TLS: hostile bytes, often only their beginning.
 * Touches memory only; must never tell what is not there from what was cut
 * off without saying so: partial.
 */
#include "modules/discovery/decode/hello.h"

#include <errno.h>

#define RECORD_HANDSHAKE 22
#define RECORD_MAX 16640
#define CLIENT_HELLO 1
#define RANDOM 32
#define EXTENSION_NAME 0
#define EXTENSION_VERSIONS 43
#define NAME_HOST 0
#define VERSION_LEAST 0x0300
#define VERSION_MOST 0x0304

/*
 * What is here of the message, and how much of it is still to come. Bytes
 * that are to come end the reading; those that never were are a mistake.
 */
struct body {
	struct bytes here;
	size_t missing;
};

enum take {
	TAKE_DONE,
	TAKE_CUT,
	TAKE_BAD,
};

static enum take take(struct body *body, size_t size, struct bytes *ret_part)
{
	if (bytes_take(&body->here, size, ret_part))
		return TAKE_DONE;
	return size - body->here.size <= body->missing ? TAKE_CUT : TAKE_BAD;
}

static enum take take_number(
	struct body *body, size_t size, uint32_t *ret_value)
{
	struct bytes part;
	enum take r = take(body, size, &part);

	if (r == TAKE_DONE && !bytes_number(&part, size, ret_value))
		return TAKE_BAD;
	return r;
}

/* A length of so many bytes, and as much as it says. */
static enum take take_vector(
	struct body *body, size_t size, struct bytes *ret_part)
{
	uint32_t length;
	enum take r = take_number(body, size, &length);

	return r == TAKE_DONE ? take(body, length, ret_part) : r;
}

static enum take read_name(struct bytes extension, struct hello *hello)
{
	uint32_t total, kind, length;
	struct bytes name;

	if (!bytes_number(&extension, 2, &total) || total != extension.size ||
		!bytes_number(&extension, 1, &kind) || kind != NAME_HOST ||
		!bytes_number(&extension, 2, &length) ||
		length > HELLO_NAME_MAX ||
		!bytes_take(&extension, length, &name) || hello->name.size)
		return TAKE_BAD;
	hello->name = name;
	return TAKE_DONE;
}

/* Numbers that only try whether we pass over them are passed over. */
static enum take read_versions(struct bytes extension, struct hello *hello)
{
	uint32_t total, version;

	if (!bytes_number(&extension, 1, &total) || total != extension.size ||
		total % 2)
		return TAKE_BAD;
	while (bytes_number(&extension, 2, &version))
		if (version >= VERSION_LEAST && version <= VERSION_MOST &&
			version > hello->version)
			hello->version = (uint16_t)version;
	return TAKE_DONE;
}

static enum take read_extension(struct body *body, struct hello *hello)
{
	struct bytes extension;
	uint32_t type;
	enum take r = take_number(body, 2, &type);

	if (r == TAKE_DONE)
		r = take_vector(body, 2, &extension);
	if (r != TAKE_DONE)
		return r;
	if (type == EXTENSION_NAME)
		return read_name(extension, hello);
	if (type == EXTENSION_VERSIONS)
		return read_versions(extension, hello);
	return TAKE_DONE;
}

static enum take read_body(struct body *body, struct hello *hello)
{
	struct bytes skipped;
	uint32_t total;
	enum take r = take(body, RANDOM, &skipped);

	for (size_t i = 0; i < 3 && r == TAKE_DONE; i++) {
		/* Session id, cipher suites, compression. */
		static const size_t sizes[] = {1, 2, 1};

		r = take_vector(body, sizes[i], &skipped);
	}
	if (r != TAKE_DONE || body->here.size + body->missing == 0)
		return r;
	r = take_number(body, 2, &total);
	if (r == TAKE_DONE && total != body->here.size + body->missing)
		return TAKE_BAD;
	for (int i = 0; r == TAKE_DONE && body->here.size + body->missing; i++)
		r = i < HELLO_EXTENSIONS_MAX ? read_extension(body, hello)
					     : TAKE_BAD;
	return r;
}

int hello_decode(struct bytes all, struct hello *ret_hello)
{
	struct hello hello = {0};
	uint32_t record, major, length, type, size, version;
	struct body body;
	enum take r;

	if (!bytes_number(&all, 1, &record) || record != RECORD_HANDSHAKE ||
		!bytes_number(&all, 1, &major) || major != 3 ||
		!bytes_skip(&all, 1) || !bytes_number(&all, 2, &length) ||
		length > RECORD_MAX)
		return -EBADMSG;
	if (all.size > length)
		all.size = length;
	if (!bytes_number(&all, 1, &type) || type != CLIENT_HELLO ||
		!bytes_number(&all, 3, &size) ||
		!bytes_number(&all, 2, &version) || size < 2 ||
		version < VERSION_LEAST || version > VERSION_MOST)
		return -EBADMSG;
	hello.version = (uint16_t)version;
	size -= 2;
	if (all.size > size)
		return -EBADMSG;
	body = (struct body){all, size - all.size};
	r = read_body(&body, &hello);
	if (r == TAKE_BAD)
		return -EBADMSG;
	hello.partial = r == TAKE_CUT;
	*ret_hello = hello;
	return 0;
}
