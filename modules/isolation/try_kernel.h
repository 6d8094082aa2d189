/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does this kernel take all that the rules need? */
#ifndef GATEHOUSE_ISOLATION_TRY_KERNEL_H
#define GATEHOUSE_ISOLATION_TRY_KERNEL_H

/*
 * Loads rules with everything in them into a network namespace of its own
 * and reads them back; says what was refused. The process's exit status.
 */
int try_kernel_main(void);

#endif
