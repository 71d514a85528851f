/* Obeys the commands of protocol.h. */
#ifndef ROGATE_AGENT_COMMANDS_H
#define ROGATE_AGENT_COMMANDS_H

#include <stdbool.h>

/* Those that have come on standard input. False at its end. */
bool read_commands(void);

#endif
