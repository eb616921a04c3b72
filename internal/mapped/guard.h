#include <stddef.h>
#include <stdint.h>

/* A range of memory that a file lies in. When a page of it can't be had, as the file was cut or
 * its disk fails, the kernel sends SIGBUS, which would end the program. The guard puts zeros in
 * the whole range instead, and remembers that it did. */
typedef struct guarded guarded;

/* Guards a range from now on; NULL where there is no memory for it. */
guarded *guard(void *start, size_t size);
/* Whether the range holds zeros now. */
int guard_lost(guarded *g);
/* Ends it. */
void unguard(guarded *g);
