// PostgreSQL over libpq in pipeline mode: a function call an action, or one for a batch of them.
#pragma once

#include "channel.hpp"

#include <deque>

struct pg_conn;
struct pg_result;

namespace peers {

class PostgresChannel final : public Channel {
public:
    PostgresChannel(const Endpoint& endpoint, std::size_t window);
    ~PostgresChannel() override;
    PostgresChannel(const PostgresChannel&) = delete;
    PostgresChannel& operator=(const PostgresChannel&) = delete;

    int descriptor() const override;
    void putMember(u32 member) override;
    void putActions(std::span<const Action> actions, u64 seed) override;
    void ask(const Question& question) override;
    bool flush() override;
    void receive(Answers& answers) override;
    std::size_t groupSize() const override { return isBatch_ ? window_ : 1; }

private:
    void prepare(const char* name, const char* statement);
    void putOne(const Action& action, u64 seed);
    void putBatch(std::span<const Action> actions, u64 seed);
    void sync();
    void take(pg_result* result, Answers& answers);

    pg_conn* connection_;
    bool isBatch_;
    std::size_t window_;
    std::deque<std::size_t> pending_;  // how many requests each query in flight stands for
    std::string ids_, members_, values_, times_;
};

/// Runs a query; the rows as texts.
std::vector<std::vector<std::string>> postgresRows(const Endpoint& endpoint, const std::string& query);

}  // namespace peers
