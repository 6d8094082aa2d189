/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See proxy_world.h. */
#include <netinet/in.h>

#include "tests/unit/proxy_world.h"

#include "agent/lib/log.h"

struct world w;

static void ask(struct session *session)
{
	(void)session;
	w.asked++;
}

static struct tls_context *trust(struct session *session)
{
	(void)session;
	return w.trust;
}

static void report(
	struct session *session, enum proxy_outcome outcome, const char *reason)
{
	(void)session;
	w.opened += outcome == PROXY_OUTCOME_OPENED;
	w.closed += outcome == PROXY_OUTCOME_CLOSED;
	w.refused += outcome == PROXY_OUTCOME_REFUSED;
	if (reason[0])
		snprintf(w.reason, sizeof(w.reason), "%s", reason);
}

static void gone(struct session *session)
{
	w.session = session_free(session);
	w.gone = true;
}

static int load_trust(const char *folder)
{
	char path[128], pem[8192];
	unsigned count;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/root.pem", folder);
	file = fopen(path, "re");
	if (!file)
		return -1;
	n = fread(pem, 1, sizeof(pem), file);
	fclose(file);
	return tls_context_new(pem, n, &w.trust, &count);
}

int world_group_setup(void **state)
{
	const char *folder;

	(void)state;
	log_open("test", LOG_LEVEL_ERROR);
	folder = peer_make_certs();
	if (!folder || tls_start() < 0)
		return -1;
	return load_trust(folder);
}

int world_group_teardown(void **state)
{
	(void)state;
	tls_context_free(w.trust);
	peer_remove_certs();
	return 0;
}

void world_connect(int *ret_client, int *ret_server)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(sa);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&sa, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&sa, &size);
	*ret_client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*ret_client, (struct sockaddr *)&sa, size), 0);
	*ret_server = accept4(
		listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(*ret_server >= 0);
	close(listener);
}

int world_setup(void **state)
{
	struct tls_context *keep = w.trust;

	(void)state;
	memset(&w, 0, sizeof(w));
	w.trust = keep;
	w.host = (struct session_host){
		.ask = ask, .trust = trust, .report = report, .gone = gone};
	return loop_new(&w.host.loop);
}

int world_teardown(void **state)
{
	(void)state;
	clock_set_wall(-1);
	session_free(w.session);
	if (w.device > 0)
		close(w.device);
	loop_free(w.host.loop);
	return 0;
}

void world_begin(uint8_t protocol, const char *name, uint16_t port)
{
	struct proxy_upgrade upgrade = {
		.protocol = protocol, .port = 80, .upstream_port = port};
	int fd;

	snprintf(upgrade.upstream_name, sizeof(upgrade.upstream_name), "%s",
		name);
	world_connect(&w.device, &fd);
	assert_int_equal(session_new(&w.host, fd, &upgrade, &w.session), 0);
	assert_int_equal(ip_parse("127.0.0.1", &w.session->target), 0);
	assert_int_equal(ip_parse("127.0.0.1", &w.session->peer), 0);
	session_begin(w.session);
	assert_int_equal(w.asked, 1);
}

void world_begin_known(uint8_t protocol, const char *name, uint16_t port)
{
	world_begin(protocol, name, port);
	session_know(w.session, 1, "sensor");
}

void device_says(const char *text)
{
	assert_int_equal(
		send(w.device, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

ssize_t device_hears(char *text, size_t size, size_t n)
{
	size_t length = 0;
	ssize_t r = 1;
	int64_t until = clock_ms() + WORLD_PATIENCE_MS;

	while (length < n && clock_ms() < until) {
		loop_turn(w.host.loop, 1);
		r = recv(w.device, text + length, size - 1 - length,
			MSG_DONTWAIT);
		if (r == 0 || (r < 0 && errno != EAGAIN))
			break;
		length += r > 0 ? (size_t)r : 0;
	}
	text[length] = '\0';
	if (length == 0 && r < 0)
		return -errno;
	return (ssize_t)length;
}

int device_end(void)
{
	char byte;
	int64_t until = clock_ms() + WORLD_PATIENCE_MS;

	while (clock_ms() < until) {
		ssize_t n;

		loop_turn(w.host.loop, 1);
		n = recv(w.device, &byte, 1, MSG_DONTWAIT);
		if (n == 0)
			return 0;
		if (n > 0)
			return 1;
		if (errno != EAGAIN)
			return -errno;
	}
	return -ETIME;
}

void world_expire(void)
{
	loop_stop_timer(w.host.loop, &w.session->timer);
	w.session->timer.fired(&w.session->timer);
}

void world_expect_refusal(struct peer *peer, const char *reason)
{
	char text[PEER_TEXT];
	size_t n;

	world_turn_until(w.gone);
	assert_int_equal(device_end(), -ECONNRESET);
	n = peer_stop(peer, text);
	assert_null(memmem(text, n, WORLD_SECRET, strlen(WORLD_SECRET)));
	assert_non_null(strstr(w.reason, reason));
	assert_int_equal(w.refused, 1);
	assert_int_equal(w.opened, 0);
	assert_int_equal(w.closed, 0);
}
