/* The parts of the agent: `relay` runs in a container of rogate's own, the others in the subject's. */
#ifndef ROGATE_PTRACE_AGENT_H
#define ROGATE_PTRACE_AGENT_H

#include "account.h"

int relay(size_t ring_bytes);

/* Who a traced process belongs to. */
enum kin { KIN_SUBJECT = 's', KIN_HEALTH = 'h' };

/* In the tracer: never returns. `first` is the process to trace; `ready` gets one byte when it is traced, or
 * an errno as text. */
void trace(int first, int relay_socket, struct account* account, const char* name, int ready);
/* A stream socket that the tracer answers on, in the network namespace that a container's processes share. */
int tracer_listen(const char* name);
int tracer_connect(const char* name);

int send_descriptor(int socket, char tag, int fd);
int receive_descriptor(int socket, char* tag);

#endif
