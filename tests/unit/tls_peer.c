/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server side of the tests. Blocking, in a child of its own, so that it
 * shares nothing with the code under test but the library.
 */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/cleanup.h"
#include "tests/unit/tls_peer.h"

static char folder[64];

static int run(char *const argv[])
{
	extern char **environ;
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0 ||
		waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *peer_make_certs(void)
{
	const char *srcdir = getenv("srcdir");
	char script[4096];
	char *argv[] = {(char *)"sh", script, folder, NULL};

	snprintf(script, sizeof(script), "%s/tests/unit/make-certs",
		srcdir ? srcdir : ".");
	snprintf(folder, sizeof(folder), "/tmp/gatehouse-test-XXXXXX");
	if (!mkdtemp(folder))
		return NULL;
	if (run(argv) == 0)
		return folder;
	peer_remove_certs();
	return NULL;
}

void peer_remove_certs(void)
{
	char *argv[] = {
		(char *)"rm", (char *)"-rf", (char *)"--", folder, NULL};

	if (folder[0])
		run(argv);
	folder[0] = '\0';
}

/* What the child has read, for the parent. */
struct heard {
	char text[PEER_TEXT];
	size_t length;
};

static bool hear(struct heard *h, WOLFSSL *ssl)
{
	int n = wolfSSL_read(
		ssl, h->text + h->length, (int)(PEER_TEXT - h->length));

	if (n > 0)
		h->length += (size_t)n;
	return n > 0;
}

static void say(WOLFSSL *ssl, const char *text)
{
	wolfSSL_write(ssl, text, (int)strlen(text));
}

/* Echoes without keeping, so that it may be much. */
static void echo(WOLFSSL *ssl, struct heard *h)
{
	char bytes[16384];
	int n;

	while ((n = wolfSSL_read(ssl, bytes, sizeof(bytes))) > 0) {
		if (h->length + (size_t)n <= sizeof(h->text)) {
			memcpy(h->text + h->length, bytes, (size_t)n);
			h->length += (size_t)n;
		}
		if (wolfSSL_write(ssl, bytes, n) != n)
			return;
	}
}

static void pour(WOLFSSL *ssl, size_t size)
{
	char bytes[8192];

	for (size_t sent = 0; sent < size; sent += sizeof(bytes)) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)((sent + i) * 7 >> 3);
		if (wolfSSL_write(ssl, bytes, sizeof(bytes)) <= 0)
			return;
	}
}

static void end(WOLFSSL *ssl, int fd)
{
	wolfSSL_shutdown(ssl);
	shutdown(fd, SHUT_WR);
}

/* After the close_notify comes the end of the connection as well. */
static void hear_fin(struct heard *h, int fd)
{
	struct timeval patience = {.tv_sec = 5};
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (recv(fd, &byte, 1, 0) != 0)
		return;
	memcpy(h->text + h->length, " FIN", 4);
	h->length += 4;
}

static void act_in_tls(enum peer_act act, WOLFSSL *ssl, int fd, struct heard *h)
{
	switch (act) {
	case PEER_ACT_ECHO:
		echo(ssl, h);
		break;
	case PEER_ACT_ANSWER_AFTER_END:
		while (hear(h, ssl))
			;
		hear_fin(h, fd);
		say(ssl, "late answer");
		break;
	case PEER_ACT_END_FIRST:
		say(ssl, "bye");
		end(ssl, fd);
		while (hear(h, ssl))
			;
		return;
	case PEER_ACT_CUT:
		say(ssl, "half an answer");
		return;
	case PEER_ACT_POUR:
		pour(ssl, PEER_POUR);
		break;
	case PEER_ACT_EXACT:
		pour(ssl, PEER_EXACT);
		break;
	case PEER_ACT_SWITCH:
		hear(h, ssl);
		say(ssl, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
		echo(ssl, h);
		break;
	case PEER_ACT_PLAIN:
	case PEER_ACT_SILENT:
	case PEER_ACT_HANG_UP:
		break;
	}
	end(ssl, fd);
	while (hear(h, ssl))
		;
}

/* Whatever comes after a refused handshake must be no plaintext. */
static void hear_bare(int fd, struct heard *h)
{
	ssize_t n;

	while (h->length < PEER_TEXT && (n = recv(fd, h->text + h->length,
						 PEER_TEXT - h->length, 0)) > 0)
		h->length += (size_t)n;
}

static void act_bare(enum peer_act act, int fd, struct heard *h)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	char hello[4096];

	if (recv(fd, hello, sizeof(hello), 0) <= 0 || act == PEER_ACT_HANG_UP)
		return;
	if (act == PEER_ACT_PLAIN)
		send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
	hear_bare(fd, h);
}

static WOLFSSL *make_server(const char *name, int fd)
{
	WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfTLS_server_method());
	char path[128];
	WOLFSSL *ssl;

	snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
	wolfSSL_CTX_use_certificate_chain_file(ctx, path);
	snprintf(path, sizeof(path), "%s/%s.key", folder, name);
	wolfSSL_CTX_use_PrivateKey_file(ctx, path, WOLFSSL_FILETYPE_PEM);
	ssl = wolfSSL_new(ctx);
	if (ssl)
		wolfSSL_set_fd(ssl, fd);
	return ssl;
}

static void act_once(
	enum peer_act act, const char *name, int fd, struct heard *h)
{
	WOLFSSL *ssl;

	if (act == PEER_ACT_PLAIN || act == PEER_ACT_SILENT ||
		act == PEER_ACT_HANG_UP) {
		act_bare(act, fd, h);
		return;
	}
	ssl = make_server(name, fd);
	if (ssl && wolfSSL_accept(ssl) == WOLFSSL_SUCCESS)
		act_in_tls(act, ssl, fd, h);
}

static _Noreturn void live(
	enum peer_act act, const char *name, int listener, int results)
{
	static struct heard heard;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	fd = accept(listener, NULL, NULL);
	if (fd >= 0)
		act_once(act, name, fd, &heard);
	close(fd);
	for (size_t sent = 0; sent < heard.length;) {
		ssize_t n = write(
			results, heard.text + sent, heard.length - sent);

		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	_exit(0);
}

static int listen_local(uint16_t *ret_port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
		listen(fd, 8) < 0 ||
		getsockname(fd, (struct sockaddr *)&sa, &size) < 0)
		abort();
	*ret_port = ntohs(sa.sin_port);
	return fd;
}

struct peer peer_start(enum peer_act act, const char *name)
{
	struct peer peer;
	int listener = listen_local(&peer.port), ends[2];

	if (pipe(ends) < 0)
		abort();
	peer.pid = fork();
	if (peer.pid == 0) {
		close(ends[0]);
		live(act, name, listener, ends[1]);
	}
	close(listener);
	close(ends[1]);
	peer.results = ends[0];
	return peer;
}

size_t peer_stop(struct peer *peer, char ret_text[PEER_TEXT])
{
	size_t length = 0;
	ssize_t n;

	while ((n = read(peer->results, ret_text + length,
			PEER_TEXT - 1 - length)) > 0)
		length += (size_t)n;
	ret_text[length] = '\0';
	close(peer->results);
	waitpid(peer->pid, NULL, 0);
	return length;
}
