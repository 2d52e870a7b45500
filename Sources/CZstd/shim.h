// libzstd is a system library; this header only names what the module exports.
#pragma once
#include <zstd.h>
#include <zstd_errors.h>
