/*
 * An answer on its way from a worker to the backend that asked, one message in a queue of shared memory:
 * int32 rows, int32 columns, then for each cell an int32 size (-1: NULL) and that many bytes of UTF-8. Same machine,
 * same server: native byte order, no padding.
 */
#ifndef TRADESYNC_ANSWER_FORMAT_H
#define TRADESYNC_ANSWER_FORMAT_H

/* About 10,000 rows of a symbol, an outcome and a detail. */
#define ANSWER_QUEUE_SIZE ((Size) 1024 * 1024)

#endif
