/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gatehouse states about itself; SECURITY.md says the same at length. */
#ifndef GATEHOUSE_PRODUCT_H
#define GATEHOUSE_PRODUCT_H

#define PRODUCT_SUPPORT_ENDS "2028-11-30" /* of 0.1 */
#define PRODUCT_SECURITY_CONTACT "see SECURITY.md"

#endif
