// Everything lives inline in the header; SwiftPM wants one translation unit per C target.
#include "cintrinsics.h"
