/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The update worker: judges packages for whoever asks the agent. Holds the
 * publisher's public key and, while it judges, the two files it was given;
 * opens nothing and has no network. It installs nothing: its word leads to
 * an installer that judges again.
 */
#include <errno.h>
#include <string.h>

#include "agent/lib/log.h"
#include "agent/lib/worker.h"
#include "modules/update/judge.h"
#include "modules/update/update_proto.h"
#include "modules/update/verify.h"

static struct {
	struct verify_key *key; /* in force; NULL: no publisher */
	struct verify_key *wanted;
	struct update_key pem; /* as received; length 0: none */
	struct update_file asked; /* whose statement is at hand */
	int statement; /* -1: none */
} self = {.statement = -1};

static void drop_statement(void)
{
	cleanup_close(&self.statement);
	self.statement = -1;
}

static int on_key(void *owner, const void *message, int fd)
{
	const struct update_key *key = message;
	struct worker *worker = owner;

	(void)fd;
	if (!worker->wanted || key->length == 0 || self.pem.length ||
		key->length > sizeof(key->pem))
		return -EPROTO;
	self.pem = *key;
	return 0;
}

static int on_statement(void *owner, const void *message, int fd)
{
	(void)owner;
	drop_statement();
	self.statement = fd;
	self.asked = *(const struct update_file *)message;
	return 0;
}

static int on_package(void *owner, const void *message, int fd)
{
	_cleanup_(cleanup_close) int package = fd;
	const struct update_file *asked = message;
	struct update_judged judged = {
		.cookie = asked->cookie, .verb = asked->verb};
	struct judge judge = {.key = self.key,
		.running = PACKAGE_VERSION,
		.architecture = judge_architecture()};
	struct statement stated = {0};

	if (self.statement < 0 || self.asked.cookie != asked->cookie ||
		self.asked.verb != asked->verb)
		return -EPROTO;
	judged.error = judge_update(
		&judge, self.statement, package, &stated, judged.reason);
	memcpy(judged.version, stated.version, sizeof(judged.version));
	drop_statement();
	worker_send(owner, UPDATE_JUDGED, &judged, sizeof(judged));
	return 0;
}

static void forget(struct worker *worker)
{
	(void)worker;
	self.wanted = verify_key_free(self.wanted);
	memset(&self.pem, 0, sizeof(self.pem));
}

static int on_begin(struct worker *worker)
{
	forget(worker);
	return 0;
}

static int on_commit(struct worker *worker, char *reason)
{
	int r;

	(void)worker;
	if (!self.pem.length)
		return 0;
	r = verify_key_read(self.pem.pem, self.pem.length, &self.wanted);
	if (r < 0)
		snprintf(reason, WORKER_REASON,
			"the publisher's key is not an Ed25519 or ECDSA "
			"P-256 public key in PEM form; see key in [update]");
	return r;
}

static int on_apply(struct worker *worker, char *reason)
{
	(void)reason;
	verify_key_free(self.key);
	self.key = self.wanted;
	self.wanted = NULL;
	forget(worker);
	return 0;
}

static int on_prepare(struct worker *worker)
{
	(void)worker;
	return verify_start();
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(UPDATE_KEY, struct update_key, on_key),
	IPC_ROUTE_FD(UPDATE_STATEMENT, struct update_file, on_statement),
	IPC_ROUTE_FD(UPDATE_PACKAGE, struct update_file, on_package),
};

static const char *const syscalls[] = {"pread64", NULL};

static const struct worker_describe describe = {
	.name = "update",
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.syscalls = syscalls,
	.prepare = on_prepare,
	.begin = on_begin,
	.commit = on_commit,
	.apply = on_apply,
	.abort = forget,
};

int main(int argc, char **argv)
{
	return worker_main(&describe, argc, argv);
}
