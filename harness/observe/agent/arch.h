/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The architecture that this is compiled for: its call numbers and registers. */
#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#include "arch/aarch64.h"
#elif defined(__TARGET_ARCH_x86) || defined(__x86_64__)
#include "arch/x86_64.h"
#else
#error "rogate's observers know x86-64 and arm64"
#endif
