// Every kernel in one module: nvcc turns it into the fat binary of cuda.c.
#include "gpu/kernels/blake3.h"
#include "gpu/kernels/lthash16.h"
#include "gpu/kernels/mth4k_sha256.h"
#include "gpu/kernels/mth4k_sha3_256.h"
#include "gpu/kernels/mth4k_sha512.h"
#include "gpu/kernels/sha256_segments.h"
