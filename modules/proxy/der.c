/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader of DER elements. The bytes come from whoever answered, before
 * anything about them is believed: every length is checked against what is
 * left, and what certificates do not need is refused.
 */
#include <errno.h>

#include "modules/proxy/der.h"

/* A length of one to three bytes; certificates are not larger. */
static int read_length(struct der *d, size_t *ret_length)
{
	size_t bytes, length = 0;

	if (d->left == 0)
		return -EBADMSG;
	length = *d->at++;
	d->left--;
	if (length >= 0x80) {
		bytes = length & 0x7f;
		if (bytes == 0 || bytes > 3 || bytes > d->left)
			return -EBADMSG;
		for (length = 0; bytes > 0; bytes--, d->left--)
			length = length << 8 | *d->at++;
	}
	if (length > d->left)
		return -EBADMSG;
	*ret_length = length;
	return 0;
}

int der_read_any(struct der *d, uint8_t *ret_tag, struct der *ret_inside)
{
	size_t length;
	uint8_t tag;

	if (d->left < 2)
		return -EBADMSG;
	tag = *d->at++;
	d->left--;
	if ((tag & 0x1f) == 0x1f || read_length(d, &length) < 0)
		return -EBADMSG;
	*ret_tag = tag;
	*ret_inside = (struct der){d->at, length};
	d->at += length;
	d->left -= length;
	return 0;
}

int der_read(struct der *d, uint8_t tag, struct der *ret_inside)
{
	uint8_t found;
	int r = der_read_any(d, &found, ret_inside);

	if (r < 0)
		return r;
	return found == tag ? 0 : -EBADMSG;
}
