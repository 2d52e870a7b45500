// The floor: a server that knows nothing but the scoring job, as fast as we know how. It is what the machine can do,
// to hold Guerdon against; see ../README.md.
#include "server.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <sys/signalfd.h>
#include <sys/stat.h>

using namespace guerdon;

int main(int count, char** arguments) {
    std::string directory;
    int port = 0;
    std::size_t members = 100'000, ids = 1'000'000;
    for (int at = 1; at + 1 < count; at += 2) {
        const std::string name = arguments[at], value = arguments[at + 1];
        if (name == "--data") directory = value;
        else if (name == "--port") port = std::stoi(value);
        else if (name == "--members") members = std::stoul(value);
        else if (name == "--actions") ids = std::stoul(value);
        else directory.clear(), at = count;
    }
    if (directory.empty()) {
        std::fputs("Usage: floor --data DIR [--port N] [--members N] [--actions N]\n\n"
                   "Members and actions say for how many to make room in advance; more are fine.\n", stderr);
        return 2;
    }
    try {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigprocmask(SIG_BLOCK, &signals, nullptr);
        mkdir(directory.c_str(), 0700);
        State state(members, ids);
        Journal journal(directory + "/log", members * 24 + ids * 28);
        const auto start = std::chrono::steady_clock::now();
        journal.recover([&](const char* records, std::size_t bytes) { return state.replay(records, bytes); });
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (state.position() > 0)
            std::fprintf(stderr, "floor: replayed %lu commands in %.3f s\n", state.position(), seconds.count());
        Server server(state, journal, port);
        std::fprintf(stderr, "floor: ready on 127.0.0.1:%d\n", server.port());
        server.run(signalfd(-1, &signals, SFD_CLOEXEC));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "floor: %s\n", error.what());
        return 1;
    }
}
