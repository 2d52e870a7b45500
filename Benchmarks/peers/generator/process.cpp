#include "process.hpp"

#include "clock.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace peers {
namespace {

std::vector<int> family(int process) {
    std::vector<int> all{process};
    for (std::size_t at = 0; at < all.size(); ++at) {
        const std::string id = std::to_string(all[at]);
        std::ifstream file("/proc/" + id + "/task/" + id + "/children");
        for (int child; file >> child;) all.push_back(child);
    }
    return all;
}

/// The fields of /proc/PID/stat behind the name, the state being the first.
std::vector<std::string> fields(int process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::size_t end = text.rfind(')');
    std::vector<std::string> all;
    if (end == std::string::npos) return all;
    std::istringstream rest(text.substr(end + 1));
    for (std::string field; rest >> field;) all.push_back(field);
    return all;
}

}  // namespace

double processorSeconds(int process) {
    double ticks = 0;
    const auto all = family(process);
    for (const int one : all) {
        const auto stat = fields(one);
        if (stat.size() < 15) continue;
        // utime, stime; and of children that have ended, cutime, cstime.
        for (std::size_t at = 11; at < 15; ++at) ticks += std::stod(stat[at]);
    }
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double memoryBytes(int process) {
    double kilobytes = 0;
    for (const int one : family(process)) {
        std::ifstream file("/proc/" + std::to_string(one) + "/smaps_rollup");
        for (std::string line; std::getline(file, line);)
            if (line.starts_with("Pss:")) kilobytes += std::stod(line.substr(4));
    }
    return kilobytes * 1024;
}

double waitUntilIdle(int process, double secondsMax) {
    const auto start = nanoseconds();
    const auto waited = [&] { return static_cast<double>(nanoseconds() - start) / 1e9; };
    while (waited() < secondsMax) {
        const double before = processorSeconds(process);
        usleep(250'000);
        if (processorSeconds(process) - before <= 0.011) break;
    }
    return waited();
}

}  // namespace peers
