/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a session share. */
#ifndef GATEHOUSE_SESSION_PRIV_H
#define GATEHOUSE_SESSION_PRIV_H

#include "modules/proxy/session.h"

/* session.c */
void session_enter_state(struct session *s, enum session_state state);
/* Waits for events (or RELAY_UNWATCHED). -errno of loop_add_watch(). */
int session_watch(struct session *s, struct watch *watch, int events);
/* The server is verified: bytes may flow. */
void session_relay(struct session *s);

/* session_dial.c; each goes on as far as it can, or refuses. */
void session_set_options(int fd);
void session_dial(struct session *s);
void session_dialled(struct session *s);
void session_handshake(struct session *s);
/* Refuses because of the server: NAME (ADDRESS port PORT): WHAT. */
void session_refuse_upstream(struct session *s, const char *what);

#endif
