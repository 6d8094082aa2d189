/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of who was forgotten. Touches no file. */
#include "agent/ctl/forgotten.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define HEAD "gatehouse-forgotten 1\n"
#define MAC_BYTES 6

static uint64_t turn(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void mix(uint64_t v[4], unsigned rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = turn(v[1], 13) ^ v[0];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] = turn(v[0], 32) + v[3];
		v[2] += v[1];
		v[1] = turn(v[1], 17) ^ v[2];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] = turn(v[2], 32);
	}
}

static uint64_t number(const uint8_t *bytes, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

uint64_t forgotten_hash(
	const uint8_t key[static 16], const uint8_t *bytes, size_t size)
{
	uint64_t k0 = number(key, 8), k1 = number(key + 8, 8), word;
	uint64_t v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
	size_t at = 0;

	for (; at + 8 <= size; at += 8) {
		word = number(bytes + at, 8);
		v[3] ^= word;
		mix(v, 2);
		v[0] ^= word;
	}
	word = number(bytes + at, size - at) | (uint64_t)size << 56;
	v[3] ^= word;
	mix(v, 2);
	v[0] ^= word;
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool read_key(const char *hex, uint8_t key[static 16])
{
	if (strspn(hex, "0123456789abcdef") != 32 || hex[32] != '\n')
		return false;
	for (size_t i = 0; i < 16; i++) {
		const char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		key[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return true;
}

int forgotten_read(const char *text, struct forgotten *forgotten)
{
	uint64_t hash;
	int64_t time;
	int used;

	forgotten->n = 0;
	if (*text == '\0')
		return 0;
	if (strncmp(text, HEAD "key ", sizeof(HEAD) + 3) != 0 ||
		!read_key(text + sizeof(HEAD) + 3, forgotten->key))
		return -EBADMSG;
	text += sizeof(HEAD) + 3 + 33;
	for (; *text; text += used) {
		used = 0;
		if (forgotten->n == FORGOTTEN_MAX ||
			sscanf(text, "%16" SCNx64 " %15" SCNd64 "%n", &hash,
				&time, &used) != 2 ||
			text[used++] != '\n')
			return -EBADMSG;
		forgotten->list[forgotten->n].hash = hash;
		forgotten->list[forgotten->n++].time = time;
	}
	return 0;
}

int forgotten_write(
	const struct forgotten *forgotten, char **ret_text, size_t *ret_size)
{
	FILE *out = open_memstream(ret_text, ret_size);

	if (!out)
		return -ENOMEM;
	fputs(HEAD "key ", out);
	for (size_t i = 0; i < sizeof(forgotten->key); i++)
		fprintf(out, "%02x", forgotten->key[i]);
	fputc('\n', out);
	for (size_t i = 0; i < forgotten->n; i++)
		fprintf(out, "%016" PRIx64 " %" PRId64 "\n",
			forgotten->list[i].hash, forgotten->list[i].time);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

static void drop(struct forgotten *forgotten, size_t at)
{
	forgotten->n--;
	memmove(&forgotten->list[at], &forgotten->list[at + 1],
		(forgotten->n - at) * sizeof(forgotten->list[0]));
}

void forgotten_add(
	struct forgotten *forgotten, const struct mac *mac, int64_t now)
{
	uint64_t hash = forgotten_hash(forgotten->key, mac->b, MAC_BYTES);

	for (size_t i = forgotten->n; i-- > 0;)
		if (forgotten->list[i].hash == hash)
			drop(forgotten, i);
	if (forgotten->n == FORGOTTEN_MAX)
		drop(forgotten, 0);
	forgotten->list[forgotten->n].hash = hash;
	forgotten->list[forgotten->n++].time = now;
}

/* Six pairs of hexadecimal digits, with one sign or none between. */
static bool read_text(const char *text, size_t size, struct mac *mac)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	size_t at = 0;

	for (size_t i = 0; i < MAC_BYTES; i++) {
		char two[3] = {0};

		if (i > 0 && at < size && strchr(":-.", text[at]) && text[at])
			at++;
		if (at + 2 > size || !text[at] || !text[at + 1] ||
			!strchr(digits, text[at]) ||
			!strchr(digits, text[at + 1]))
			return false;
		memcpy(two, text + at, 2);
		mac->b[i] = (uint8_t)strtoul(two, NULL, 16);
		at += 2;
	}
	return true;
}

void forgotten_search(const struct forgotten *forgotten, int64_t since,
	const void *bytes, size_t size,
	void (*found)(void *arg, const struct mac *mac, int64_t time),
	void *arg)
{
	const uint8_t *at = bytes;
	struct mac mac;

	for (size_t i = 0; i + MAC_BYTES <= size; i++) {
		uint64_t raw = forgotten_hash(
			forgotten->key, at + i, MAC_BYTES);
		bool is_text = read_text((const char *)at + i, size - i, &mac);
		uint64_t text = is_text ? forgotten_hash(forgotten->key, mac.b,
						  MAC_BYTES)
					: 0;

		for (size_t n = 0; n < forgotten->n; n++) {
			if (forgotten->list[n].time < since)
				continue;
			if (is_text && forgotten->list[n].hash == text) {
				found(arg, &mac, forgotten->list[n].time);
			} else if (forgotten->list[n].hash == raw) {
				memcpy(mac.b, at + i, MAC_BYTES);
				found(arg, &mac, forgotten->list[n].time);
			}
		}
	}
}
