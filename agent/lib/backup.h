/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gatehouse backup and restore and gatehouse-seal agree on. */
#ifndef GATEHOUSE_BACKUP_H
#define GATEHOUSE_BACKUP_H

#define BACKUP_SEAL "seal"
#define BACKUP_OPEN "open"
#define BACKUP_PASSPHRASE_FD 3
#define BACKUP_PASSPHRASE_MIN 8 /* bytes */
#define BACKUP_PASSPHRASE_MAX 1024

enum backup_exit {
	BACKUP_EXIT_DONE = 0,
	BACKUP_EXIT_FAILED = 1,
	BACKUP_EXIT_FOREIGN = 3, /* no backup */
	BACKUP_EXIT_VERSION = 4, /* of another version or unreasonable */
	BACKUP_EXIT_PASSPHRASE = 5, /* wrong, or its beginning is damaged */
	BACKUP_EXIT_DAMAGED = 6, /* changed, cut off or added to */
	BACKUP_EXIT_SIZE = 7, /* too much, or too little */
	BACKUP_EXIT_MEMORY = 8,
};

#endif
