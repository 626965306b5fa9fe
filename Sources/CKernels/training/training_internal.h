#ifndef EDGETWIN_TRAINING_INTERNAL_H
#define EDGETWIN_TRAINING_INTERNAL_H

#include "../include/edgetwin_training.h"

// Reals of a chunk of a segment, and how many there are; a chunk of a touched table is whole rows.
size_t edgetwin_training_chunk(const edgetwin_training_segment *);
size_t edgetwin_training_chunks(const edgetwin_training_segment *);

#endif
