/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads CONNECT of MQTT: hostile bytes. Touches memory only; must never read
 * as far as a user's name or password.
 */
#include "modules/discovery/decode/mqtt.h"

#include <errno.h>
#include <string.h>

#define CONNECT 0x10
#define FLAG_USER 0x80
#define FLAG_RESERVED 0x01

/* Seven bits in each byte, the lowest first, at most four bytes. */
static bool take_varint(struct bytes *from, uint32_t *ret_value)
{
	uint32_t value = 0, byte;

	for (int shift = 0; shift < 28; shift += 7) {
		if (!bytes_number(from, 1, &byte))
			return false;
		value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool take_text(struct bytes *from, struct bytes *ret_text)
{
	uint32_t length;

	return bytes_number(from, 2, &length) &&
	       bytes_take(from, length, ret_text);
}

static bool is_named(struct bytes name, const char *text)
{
	return name.size == strlen(text) && !memcmp(name.at, text, name.size);
}

static bool level_fits(struct bytes name, uint32_t level)
{
	if (is_named(name, "MQIsdp"))
		return level == 3;
	return is_named(name, "MQTT") && (level == 4 || level == 5);
}

int mqtt_decode(struct bytes all, struct mqtt_connect *ret_mqtt)
{
	struct mqtt_connect mqtt;
	uint32_t type, length, level, flags, properties = 0;
	struct bytes name;

	if (!bytes_number(&all, 1, &type) || type != CONNECT ||
		!take_varint(&all, &length))
		return -EBADMSG;
	if (all.size > length)
		all.size = length;
	if (!take_text(&all, &name) || !bytes_number(&all, 1, &level) ||
		!level_fits(name, level) || !bytes_number(&all, 1, &flags) ||
		(flags & FLAG_RESERVED) || !bytes_skip(&all, 2))
		return -EBADMSG;
	if (level == 5 && (!take_varint(&all, &properties) ||
				  !bytes_skip(&all, properties)))
		return -EBADMSG;
	if (!take_text(&all, &mqtt.client_id) ||
		mqtt.client_id.size > MQTT_CLIENT_ID_MAX)
		return -EBADMSG;
	mqtt.level = (uint8_t)level;
	mqtt.has_user = flags & FLAG_USER;
	*ret_mqtt = mqtt;
	return 0;
}
