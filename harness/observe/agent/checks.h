/* Checks of capabilities, as the kernel's side has counted them. */
#ifndef ROGATE_AGENT_CHECKS_H
#define ROGATE_AGENT_CHECKS_H

#include <stdint.h>

/* How many were not seen so far, by nobody knows which container. */
uint64_t lost_checks_now(void);
/* Those of the slot's container, which are forgotten; `lost`: since it was armed. Nothing, if none are seen here. */
void send_checks(unsigned int slot, uint64_t lost);

#endif
