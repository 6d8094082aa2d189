/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What devices learned, into the tables in force. */
#ifndef GATEHOUSE_ISOLATION_ENGINE_LEARN_H
#define GATEHOUSE_ISOLATION_ENGINE_LEARN_H

#include "modules/isolation/engine.h"

/*
 * All that waits in engine->learned, in one transaction. On error all is
 * loaded anew, soon, and with it what was learned.
 */
void engine_flush_learned(struct engine *engine);
/* These MACs are no devices any more: what they learned goes. */
void engine_drop_learned(struct engine *engine);

#endif
