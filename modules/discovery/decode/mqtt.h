/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first message of MQTT: CONNECT, of 3.1, 3.1.1 and 5. Pure. */
#ifndef GATEHOUSE_DISCOVERY_DECODE_MQTT_H
#define GATEHOUSE_DISCOVERY_DECODE_MQTT_H

#include "modules/discovery/decode/bytes.h"

#define MQTT_PORT 1883
#define MQTT_CLIENT_ID_MAX 256 /* longer ones are refused */

struct mqtt_connect {
	uint8_t level; /* 3: 3.1, 4: 3.1.1, 5 */
	struct bytes client_id; /* may be empty */
	bool has_user; /* a name follows; neither it nor a password is read */
};

/* -EBADMSG: none, or cut before the client id ends. */
_must_check_ int mqtt_decode(struct bytes all, struct mqtt_connect *ret_mqtt);

#endif
