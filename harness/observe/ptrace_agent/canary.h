/* Writes that the kernel refuses, made by a process under the same filter as the subject's: they prove that
 * the tracer sees what is refused. */
#ifndef ROGATE_PTRACE_CANARY_H
#define ROGATE_PTRACE_CANARY_H

/* Tries each path that the relay names, until the relay says that there are no more; what came of it is told
 * to the relay. For a subject that has not begun yet, and may be gone a moment after it has. */
void prove_all(int relay_socket);
/* A line from the relay: "canary NUMBER PATH". */
void canary_obey(char* line);
/* What a call of the canary's was answered. */
void canary_answered(int error);
/* A process has ended. */
void canary_ended(unsigned int tid);

#endif
