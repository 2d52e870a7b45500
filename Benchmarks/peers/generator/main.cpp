// The load generator: one program for all contestants. Prints `name value` lines.
#include "clock.hpp"
#include "contestant.hpp"
#include "disk.hpp"
#include "load.hpp"
#include "process.hpp"

#include <cinttypes>
#include <cstdio>
#include <map>

using namespace peers;

namespace {

constexpr const char* usage =
    "Usage: load COMMAND --name value ...\n\n"
    "  setup    --target T --port N\n"
    "  members  --target T --port N --members N\n"
    "  actions  --target T --port N --members N --seed N --actions N --connections N --window N --pid N\n"
    "           [--rate N]\n"
    "  reads    --target T --port N --members N --kind rank|top10|around --count N --window N\n"
    "  check    --target T --port N --members N --phases seed:connections:actions,...\n"
    "  disk     --data DIR --batches N --bytes N\n"
    "  usage    --pid N\n"
    "  ask      --port N --line JSON\n\n"
    "Targets are ndjson, redis, postgres and postgres-batch; --socket names PostgreSQL's directory.\n";

struct WrongUsage {};

class Options {
public:
    Options(int count, char** arguments) {
        if (count % 2 != 0) throw WrongUsage();
        for (int at = 2; at + 1 < count; at += 2) values_[arguments[at]] = arguments[at + 1];
    }
    std::string text(const std::string& name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) throw WrongUsage();
        return found->second;
    }
    u64 number(const std::string& name) const { return std::stoull(text(name)); }
    u64 number(const std::string& name, u64 otherwise) const { return values_.contains(name) ? number(name) : otherwise; }
    Endpoint endpoint() const {
        static const std::map<std::string, Target> targets{{"ndjson", Target::ndjson},
                                                           {"redis", Target::redis},
                                                           {"postgres", Target::postgres},
                                                           {"postgres-batch", Target::postgresBatch}};
        const auto found = targets.find(text("--target"));
        if (found == targets.end()) throw WrongUsage();
        const auto socket = values_.find("--socket");
        return {found->second, static_cast<int>(number("--port")), socket == values_.end() ? "" : socket->second};
    }

private:
    std::map<std::string, std::string> values_;
};

void print(const char* name, double value) { std::printf("%s %.6g\n", name, value); }
void print(const char* name, u64 value) { std::printf("%s %" PRIu64 "\n", name, value); }

void printLatencies(const Histogram& latencies) {
    print("p50_ms", latencies.milliseconds(0.5));
    print("p99_ms", latencies.milliseconds(0.99));
    print("p999_ms", latencies.milliseconds(0.999));
    print("max_ms", latencies.maxMilliseconds());
}

void setup(const Options& options) {
    for (const char* line : {
             R"({"op":"currency.put","currency":"PTS","kind":"points","scale":0})",
             R"({"op":"currency.put","currency":"USD","kind":"money","scale":2})",
             R"({"op":"plan.put","plan":{"plan":"scoring","bonuses":[)"
             R"({"bonus":"points","when":"action.type == 'purchase'",)"
             R"("rewards":[{"to":"performer","currency":"PTS","per":"1.00","amount":"1"}]},)"
             R"({"bonus":"referral","when":"action.type == 'purchase'","rewards":)"
             R"([{"to":"upline","currency":"USD","levels":[{"rate":"5%"},{"rate":"3%"},{"rate":"1%"}]}]}]}})",
             R"({"op":"board.put","board":"monthly","score":{"currency":"PTS"},"period":"month","ties":"competition"})",
         }) {
        const std::string answer = requestLine(static_cast<int>(options.number("--port")), line);
        if (!answer.starts_with("{\"ok\":true")) throw Failure("refused: " + answer);
    }
}

void members(const Options& options) {
    std::vector<std::unique_ptr<Source>> sources;
    sources.push_back(std::make_unique<MemberSource>(static_cast<u32>(options.number("--members"))));
    const LoadResult result = runLoad(options.endpoint(), 4'096, std::move(sources));
    if (result.answers.refused > 0) throw Failure("members were refused: " + result.answers.firstRefusal);
    print("members_per_second", static_cast<double>(result.answers.all()) / result.seconds);
}

void actions(const Options& options) {
    const Endpoint endpoint = options.endpoint();
    const auto process = static_cast<int>(options.number("--pid"));
    const auto connections = static_cast<u32>(options.number("--connections"));
    u64 resent = 0;
    auto sources = actionSources(options.number("--seed"), static_cast<u32>(options.number("--members")), connections,
                                 options.number("--actions"), resent);
    const double before = processorSeconds(process);
    const auto rate = static_cast<double>(options.number("--rate", 0));
    const LoadResult result = runLoad(endpoint, options.number("--window"), std::move(sources), nullptr, rate);
    // What the server still does behind the last acknowledgement counts as well.
    waitUntilIdle(process, 5);
    const double used = processorSeconds(process) - before;
    const Answers& answers = result.answers;
    if (answers.refused > 0) throw Failure("actions were refused: " + answers.firstRefusal);
    if (answers.duplicates != resent)
        throw Failure(std::to_string(resent) + " actions were sent again, and " + std::to_string(answers.duplicates) +
                      " were called duplicates");
    const auto count = static_cast<double>(answers.all());
    print("actions", answers.all());
    print("seconds", result.seconds);
    print("per_second", count / result.seconds);
    print("cpu_us", used * 1e6 / count);
    if (rate > 0) print("rate", rate);
    printLatencies(result.latencies);
}

void reads(const Options& options) {
    static const std::map<std::string, Question::Kind> kinds{
        {"rank", Question::Kind::rank}, {"top10", Question::Kind::top10}, {"around", Question::Kind::around}};
    const auto kind = kinds.find(options.text("--kind"));
    if (kind == kinds.end()) throw WrongUsage();
    std::vector<std::unique_ptr<Source>> sources;
    sources.push_back(std::make_unique<QuestionSource>(kind->second, static_cast<u32>(options.number("--members")),
                                                       options.number("--count"), options.number("--seed", 7)));
    const LoadResult result = runLoad(options.endpoint(), options.number("--window"), std::move(sources));
    if (result.answers.refused > 0) throw Failure("reads were refused: " + result.answers.firstRefusal);
    print("per_second", static_cast<double>(result.answers.all()) / result.seconds);
    printLatencies(result.latencies);
}

void check(const Options& options) {
    const auto count = static_cast<u32>(options.number("--members"));
    const Balances expected = expectedBalances(count, parsePhases(options.text("--phases")));
    const Balances actual = readBalances(options.endpoint(), count);
    u64 different = 0;
    for (u32 member = 0; member < count; ++member) {
        if (expected.points[member] == actual.points[member] && expected.cents[member] == actual.cents[member]) continue;
        if (different++ == 0)
            std::fprintf(stderr, "m%u has %" PRIu64 " points and %" PRIu64 " hundredths, not %" PRIu64 " and %" PRIu64 "\n",
                         member, actual.points[member], actual.cents[member], expected.points[member],
                         expected.cents[member]);
    }
    print("points", actual.sumOfPoints());
    print("commission", actual.sumOfCents());
    std::printf("hash %016" PRIx64 "\n", actual.hash());
    if (different > 0) throw Failure(std::to_string(different) + " members have other balances than they should");
    if (actual.hash() != expected.hash()) throw Failure("the hashes differ");
    const std::string complaint = complaintAboutTop(readTop(options.endpoint()), expected, 100);
    if (!complaint.empty()) throw Failure(complaint);
    print("equal_members", u64(count));
    print("scored_members",
          static_cast<u64>(count - std::count(expected.points.begin(), expected.points.end(), u64(0))));
}

void disk(const Options& options) {
    const DiskResult result = measureDisk(options.text("--data"), options.number("--batches"), options.number("--bytes"));
    print("seconds", result.seconds);
    printLatencies(result.latencies);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string command = count > 1 ? arguments[1] : "";
    try {
        const Options options(count, arguments);
        if (command == "setup") setup(options);
        else if (command == "members") members(options);
        else if (command == "actions") actions(options);
        else if (command == "reads") reads(options);
        else if (command == "check") check(options);
        else if (command == "disk") disk(options);
        else if (command == "ask")
            std::puts(requestLine(static_cast<int>(options.number("--port")), options.text("--line")).c_str());
        else if (command == "usage") print("memory", memoryBytes(static_cast<int>(options.number("--pid"))));
        else throw WrongUsage();
        return 0;
    } catch (const WrongUsage&) {
        std::fputs(usage, stderr);
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "load %s: %s\n", command.c_str(), error.what());
        return 1;
    }
}
