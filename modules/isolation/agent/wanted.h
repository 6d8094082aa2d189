/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wanted state, as the agent tells it. */
#ifndef GATEHOUSE_ISOLATION_WANTED_H
#define GATEHOUSE_ISOLATION_WANTED_H

struct agent;
struct conf;

/*
 * Queues every item of a checked configuration for the worker. -errno: the
 * worker is gone or a line was not understood after all.
 */
int wanted_send(struct agent *agent, const struct conf *conf);

#endif
