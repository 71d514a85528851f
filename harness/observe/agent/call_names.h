/* Names of the architecture's system calls that capabilities are checked for. */
#ifndef ROGATE_AGENT_CALL_NAMES_H
#define ROGATE_AGENT_CALL_NAMES_H

/* NULL: it is none of them. */
const char* name_of_call(int number);

#endif
