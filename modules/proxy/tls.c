/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only file that knows wolfSSL. Verification is switched on here and
 * nowhere off: Debian's library verifies nothing until it is told to, and
 * its own name check falls back to the common name, so the names are ours
 * to check. Touches one connected socket and the system's random numbers;
 * opens no file, keeps no session, knows no private key.
 */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/cryptocb.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "agent/lib/loop.h"
#include "agent/lib/net.h"
#include "modules/proxy/certname.h"
#include "modules/proxy/tls.h"

#ifndef WOLFSSL_ALWAYS_VERIFY_CB
#error "this wolfSSL does not show certificates that it finds good"
#endif

#define RANDOM_DEVICE 0x4748 /* our number for the library's callbacks */
#define RSA_LEAST 2048 /* bits */
#define EC_LEAST 224
#define DH_LEAST 2048

#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22
#define ALERT_HANDSHAKE_FAILURE 40
#define ALERT_PROTOCOL_VERSION 70

/*
 * ChaCha20 first: distributions build the library without the processors'
 * own AES, and most gateways' processors have none.
 */
static const char cipher_list[] =
	"TLS13-CHACHA20-POLY1305-SHA256:"
	"TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:"
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";

struct tls_context {
	WOLFSSL_CTX *ctx;
};

struct tls {
	WOLFSSL *ssl;
	int fd;
	uint8_t first[5]; /* the head of the server's first record */
	size_t n_first;
	char name[CERTNAME_MAX + 1];
	/* The certificate the server showed first: */
	bool shown, self_issued;
	int named; /* what certname_check() says of it */
	char names[64];
	char reason[TLS_REASON];
};

static int fill_random(void *bytes, size_t size)
{
	uint8_t *at = bytes;

	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return RNG_FAILURE_E;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The library would open /dev/urandom, which the sandbox does not allow. */
static int answer_crypto(int device, wc_CryptoInfo *info, void *arg)
{
	(void)device;
	(void)arg;
	if (info->algo_type == WC_ALGO_TYPE_SEED)
		return fill_random(info->seed.seed, info->seed.sz);
	if (info->algo_type == WC_ALGO_TYPE_RNG)
		return fill_random(info->rng.out, info->rng.sz);
	return CRYPTOCB_UNAVAILABLE;
}

int tls_start(void)
{
	if (wolfSSL_Init() != WOLFSSL_SUCCESS)
		return -EIO;
	return wc_CryptoCb_RegisterDevice(RANDOM_DEVICE, answer_crypto, NULL) ==
			       0
		       ? 0
		       : -EIO;
}

/* The server's first bytes tell whether it speaks TLS at all. */
static void remember_first(struct tls *tls, const char *bytes, size_t length)
{
	size_t room = sizeof(tls->first) - tls->n_first;
	size_t n = length < room ? length : room;

	memcpy(tls->first + tls->n_first, bytes, n);
	tls->n_first += n;
}

static int receive(WOLFSSL *ssl, char *bytes, int size, void *arg)
{
	struct tls *tls = arg;
	ssize_t n;

	(void)ssl;
	n = recv(tls->fd, bytes, (size_t)size, MSG_DONTWAIT);
	if (n > 0) {
		remember_first(tls, bytes, (size_t)n);
		return (int)n;
	}
	if (n == 0)
		return WOLFSSL_CBIO_ERR_CONN_CLOSE;
	if (errno == EAGAIN || errno == EINTR)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	return errno == ECONNRESET ? WOLFSSL_CBIO_ERR_CONN_RST
				   : WOLFSSL_CBIO_ERR_GENERAL;
}

static int transmit(WOLFSSL *ssl, char *bytes, int size, void *arg)
{
	struct tls *tls = arg;
	ssize_t n;

	(void)ssl;
	n = send(tls->fd, bytes, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return WOLFSSL_CBIO_ERR_WANT_WRITE;
	return errno == ECONNRESET || errno == EPIPE ? WOLFSSL_CBIO_ERR_CONN_RST
						     : WOLFSSL_CBIO_ERR_GENERAL;
}

/*
 * Sees the server's own certificate as it is judged; the judgement itself is
 * never changed. What the library keeps of a chain must not be asked
 * instead: large certificates are missing there, and then somebody else's,
 * sent behind a large one, comes first. Nor wolfSSL_get_peer_certificate(),
 * which copies and wants random numbers from a file for that.
 */
static int look_at_chain(int good, WOLFSSL_X509_STORE_CTX *store)
{
	struct tls *tls = store->userCtx;
	const WOLFSSL_BUFFER_INFO *own = store->certs;

	if (store->totalCerts < 1 || tls->shown)
		return good;
	tls->shown = true;
	tls->named = certname_check(own->buffer, own->length, tls->name);
	tls->self_issued = certname_self_issued(own->buffer, own->length);
	certname_describe(
		own->buffer, own->length, tls->names, sizeof(tls->names));
	return good;
}

/* What every connection has in common; all of it or none. */
static int set_rules(WOLFSSL_CTX *ctx)
{
	if (wolfSSL_CTX_SetMinVersion(ctx, WOLFSSL_TLSV1_2) !=
			WOLFSSL_SUCCESS ||
		wolfSSL_CTX_set_cipher_list(ctx, cipher_list) !=
			WOLFSSL_SUCCESS ||
		wolfSSL_CTX_SetMinRsaKey_Sz(ctx, RSA_LEAST) !=
			WOLFSSL_SUCCESS ||
		wolfSSL_CTX_SetMinEccKey_Sz(ctx, EC_LEAST) != WOLFSSL_SUCCESS ||
		wolfSSL_CTX_SetMinDhKey_Sz(ctx, DH_LEAST) != WOLFSSL_SUCCESS ||
		wolfSSL_CTX_SetDevId(ctx, RANDOM_DEVICE) != WOLFSSL_SUCCESS)
		return -EIO;
	wolfSSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, look_at_chain);
	wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
	wolfSSL_CTX_SetIORecv(ctx, receive);
	wolfSSL_CTX_SetIOSend(ctx, transmit);
	return 0;
}

/*
 * While the clock is wrong the dates of authorities say nothing; those of
 * servers are still checked, and the session refuses before it comes to that.
 */
static uint32_t load_flags(void)
{
	return clock_wall() < BUILD_TIME ? WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY
					 : WOLFSSL_LOAD_FLAG_NONE;
}

/* One by one, so that an expired one does not take the rest with it. */
static unsigned load_authorities(WOLFSSL_CTX *ctx, const char *pem, size_t size)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	static const char end[] = "-----END CERTIFICATE-----";
	const char *stop = pem + size, *first, *last;
	unsigned count = 0;

	for (;; pem = last) {
		first = memmem(
			pem, (size_t)(stop - pem), begin, sizeof(begin) - 1);
		if (!first)
			return count;
		last = memmem(
			first, (size_t)(stop - first), end, sizeof(end) - 1);
		if (!last)
			return count;
		last += sizeof(end) - 1;
		if (wolfSSL_CTX_load_verify_buffer_ex(ctx,
			    (const unsigned char *)first, last - first,
			    WOLFSSL_FILETYPE_PEM, 0,
			    load_flags()) == WOLFSSL_SUCCESS)
			count++;
	}
}

int tls_context_new(const char *pem, size_t size,
	struct tls_context **ret_context, unsigned *ret_count)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	unsigned count;

	if (!context)
		return -ENOMEM;
	context->ctx = wolfSSL_CTX_new(wolfTLS_client_method());
	if (!context->ctx || set_rules(context->ctx) < 0) {
		tls_context_free(context);
		return -ENOMEM;
	}
	count = load_authorities(context->ctx, pem, size);
	if (count == 0) {
		tls_context_free(context);
		return -ENOENT;
	}
	*ret_context = context;
	*ret_count = count;
	return 0;
}

struct tls_context *tls_context_free(struct tls_context *context)
{
	if (!context)
		return NULL;
	wolfSSL_CTX_free(context->ctx); /* counted; connections hold it too */
	free(context);
	return NULL;
}

/* Addresses are not sent as server name (RFC 6066). */
static int set_name(struct tls *tls, const char *name)
{
	size_t length = strlen(name);
	struct ip ip;

	if (length > CERTNAME_MAX)
		return -EINVAL;
	memcpy(tls->name, name, length + 1);
	if (ip_parse(name, &ip) == 0)
		return 0;
	if (!certname_is_host(name))
		return -EINVAL;
	return wolfSSL_UseSNI(tls->ssl, WOLFSSL_SNI_HOST_NAME, name,
		       (unsigned short)length) == WOLFSSL_SUCCESS
		       ? 0
		       : -ENOMEM;
}

int tls_open(struct tls_context *context, int fd, const char *name,
	struct tls **ret_tls)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int r;

	if (!tls)
		return -ENOMEM;
	tls->fd = fd;
	tls->ssl = wolfSSL_new(context->ctx);
	r = tls->ssl ? set_name(tls, name) : -ENOMEM;
	if (r < 0) {
		tls_free(tls);
		return r;
	}
	wolfSSL_SetIOReadCtx(tls->ssl, tls);
	wolfSSL_SetIOWriteCtx(tls->ssl, tls);
	wolfSSL_SetCertCbCtx(tls->ssl, tls);
	*ret_tls = tls;
	return 0;
}

struct tls *tls_free(struct tls *tls)
{
	if (!tls)
		return NULL;
	wolfSSL_free(tls->ssl);
	free(tls);
	return NULL;
}

static enum tls_status fail(struct tls *tls, const char *reason)
{
	snprintf(tls->reason, sizeof(tls->reason), "%s", reason);
	return TLS_STATUS_FAILED;
}

static enum tls_status fail_untrusted(struct tls *tls)
{
	return fail(tls,
		tls->self_issued
			? "its certificate is self-signed"
			: "its certificate comes from an untrusted authority");
}

/* What its first bytes say, when they are no TLS 1.2 or later. */
static const char *judge_first(const struct tls *tls)
{
	const uint8_t *b = tls->first;

	if (tls->n_first == 0)
		return NULL;
	if ((b[0] != RECORD_HANDSHAKE && b[0] != RECORD_ALERT) ||
		(tls->n_first > 1 && b[1] != 3))
		return "it does not speak TLS";
	return NULL;
}

static enum tls_status fail_alert(struct tls *tls, int code)
{
	if (code == ALERT_PROTOCOL_VERSION)
		return fail(tls, "it offers only TLS older than 1.2");
	if (code == ALERT_HANDSHAKE_FAILURE)
		return fail(tls, "it has no cipher in common with us");
	snprintf(tls->reason, sizeof(tls->reason),
		"it refused the handshake (TLS alert %d)", code);
	return TLS_STATUS_FAILED;
}

static int received_alert(struct tls *tls)
{
	WOLFSSL_ALERT_HISTORY history;

	if (wolfSSL_get_alert_history(tls->ssl, &history) != WOLFSSL_SUCCESS)
		return -1;
	return history.last_rx.level == alert_fatal ? history.last_rx.code : -1;
}

static enum tls_status fail_other(struct tls *tls, int error)
{
	char text[WOLFSSL_MAX_ERROR_SZ];

	snprintf(tls->reason, sizeof(tls->reason), "TLS error %d: %.100s",
		error, wolfSSL_ERR_error_string((unsigned long)error, text));
	return TLS_STATUS_FAILED;
}

static enum tls_status fail_handshake(struct tls *tls, int error)
{
	const char *strange = judge_first(tls);

	if (strange)
		return fail(tls, strange);
	if (received_alert(tls) >= 0)
		return fail_alert(tls, received_alert(tls));
	switch (error) {
	case ASN_AFTER_DATE_E:
		return fail(tls, "its certificate has expired");
	case ASN_BEFORE_DATE_E:
		return fail(tls, "its certificate is not yet valid");
	case ASN_NO_SIGNER_E:
	case ASN_SELF_SIGNED_E:
		return fail_untrusted(tls);
	case ASN_SIG_CONFIRM_E:
		return fail(tls, "its certificate has a wrong signature");
	case VERSION_ERROR:
		return fail(tls, "it offers only TLS older than 1.2");
	case SOCKET_ERROR_E:
	case SOCKET_PEER_CLOSED_E:
		return fail(tls, "it closed the connection in the handshake");
	default:
		return fail_other(tls, error);
	}
}

/* The chain is good; is it also the certificate of whom we wanted? */
static enum tls_status check_name(struct tls *tls)
{
	if (!tls->shown)
		return fail(tls, "it showed no certificate");
	if (tls->named == 0)
		return TLS_STATUS_DONE;
	snprintf(tls->reason, sizeof(tls->reason),
		"its certificate is not for this name but for %s", tls->names);
	return TLS_STATUS_FAILED;
}

/* The library's answer as one of ours; other is what else it may be. */
static bool is_waiting(int error, enum tls_status *ret_status)
{
	if (error == WOLFSSL_ERROR_WANT_READ)
		*ret_status = TLS_STATUS_WANTS_INPUT;
	else if (error == WOLFSSL_ERROR_WANT_WRITE)
		*ret_status = TLS_STATUS_WANTS_OUTPUT;
	else
		return false;
	return true;
}

enum tls_status tls_handshake(struct tls *tls)
{
	enum tls_status status;
	int r, error;

	r = wolfSSL_connect(tls->ssl);
	if (r == WOLFSSL_SUCCESS)
		return check_name(tls);
	error = wolfSSL_get_error(tls->ssl, r);
	return is_waiting(error, &status) ? status : fail_handshake(tls, error);
}

static enum tls_status fail_flow(struct tls *tls, int error)
{
	if (error == SOCKET_PEER_CLOSED_E || error == SOCKET_ERROR_E)
		return fail(tls, "the server cut the connection");
	return fail_other(tls, error);
}

enum tls_status tls_read(
	struct tls *tls, void *bytes, size_t size, size_t *ret_length)
{
	enum tls_status status;
	int r, error;

	assert(size > 0 && size <= INT32_MAX);
	r = wolfSSL_read(tls->ssl, bytes, (int)size);
	if (r > 0) {
		*ret_length = (size_t)r;
		return TLS_STATUS_DONE;
	}
	error = wolfSSL_get_error(tls->ssl, r);
	if (error == WOLFSSL_ERROR_ZERO_RETURN)
		return TLS_STATUS_CLOSED;
	return is_waiting(error, &status) ? status : fail_flow(tls, error);
}

enum tls_status tls_write(
	struct tls *tls, const void *bytes, size_t length, size_t *ret_length)
{
	enum tls_status status;
	int r, error;

	assert(length > 0 && length <= INT32_MAX);
	r = wolfSSL_write(tls->ssl, bytes, (int)length);
	if (r > 0) {
		*ret_length = (size_t)r;
		return TLS_STATUS_DONE;
	}
	error = wolfSSL_get_error(tls->ssl, r);
	return is_waiting(error, &status) ? status : fail_flow(tls, error);
}

enum tls_status tls_end(struct tls *tls)
{
	enum tls_status status;
	int r, error;

	r = wolfSSL_shutdown(tls->ssl);
	if (r == WOLFSSL_SUCCESS || r == WOLFSSL_SHUTDOWN_NOT_DONE)
		return TLS_STATUS_DONE;
	error = wolfSSL_get_error(tls->ssl, r);
	return is_waiting(error, &status) ? status : fail_flow(tls, error);
}

const char *tls_reason(const struct tls *tls)
{
	return tls->reason;
}

const char *tls_version(const struct tls *tls)
{
	return wolfSSL_get_version(tls->ssl);
}
