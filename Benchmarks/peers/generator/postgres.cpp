#include "postgres.hpp"

#include <bit>
#include <cstring>
#include <libpq-fe.h>

namespace peers {
namespace {

constexpr Oid int4Type = 23, textType = 25, timeType = 1184, int4Array = 1007, textArray = 1009, timeArray = 1185;

template <class T>
void append(std::string& out, T value) {
    if constexpr (sizeof value == 8) value = static_cast<T>(__builtin_bswap64(static_cast<u64>(value)));
    else value = static_cast<T>(__builtin_bswap32(static_cast<u32>(value)));
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Microseconds since 2000-01-01: PostgreSQL's own form of a time. November 2026 begins 9,801 days later.
std::int64_t microseconds(const Action& action) {
    return (std::int64_t(9'801) * 86'400 + secondOf(action)) * 1'000'000;
}

std::string idOf(const Action& action, u64 seed) {
    char text[48] = "s";
    char* end = putNumber(text + 1, seed);
    *end++ = '-';
    end = putNumber(end, action.number);
    return {text, end};
}

/// Begins an array of one dimension in PostgreSQL's binary form.
void beginArray(std::string& out, Oid element, std::size_t count) {
    out.clear();
    append(out, u32(1));
    append(out, u32(0));
    append(out, u32(element));
    append(out, static_cast<u32>(count));
    append(out, u32(1));
}

pg_conn* open(const Endpoint& endpoint) {
    const std::string where = "host=" + endpoint.directory + " port=" + std::to_string(endpoint.port) +
                              " dbname=peers user=peers application_name=peers";
    PGconn* connection = PQconnectdb(where.c_str());
    if (PQstatus(connection) != CONNECTION_OK) throw Failure(std::string("PostgreSQL: ") + PQerrorMessage(connection));
    return connection;
}

}  // namespace

PostgresChannel::PostgresChannel(const Endpoint& endpoint, std::size_t window)
    : connection_(open(endpoint)), isBatch_(endpoint.target == Target::postgresBatch), window_(window) {
    prepare("action", "SELECT score_action($1, $2, $3, $4)");
    prepare("batch", "SELECT score_batch($1, $2, $3, $4)");
    prepare("rank", "SELECT board_rank($1)");
    prepare("top", "SELECT member, score FROM board WHERE month = '2026-11-01' ORDER BY score DESC LIMIT $1");
    prepare("around", "SELECT * FROM board_around($1)");
    prepare("wallet", "SELECT points, cents FROM members WHERE member = $1");
    if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1)
        throw Failure("PostgreSQL: no pipeline mode");
}

PostgresChannel::~PostgresChannel() { PQfinish(connection_); }

int PostgresChannel::descriptor() const { return PQsocket(connection_); }

void PostgresChannel::prepare(const char* name, const char* statement) {
    Oid types[4] = {int4Type, 0, 0, 0};
    int count = 1;
    if (name == std::string_view("action")) {
        const Oid all[] = {textType, int4Type, int4Type, timeType};
        std::copy(all, all + 4, types);
        count = 4;
    } else if (name == std::string_view("batch")) {
        const Oid all[] = {textArray, int4Array, int4Array, timeArray};
        std::copy(all, all + 4, types);
        count = 4;
    }
    PGresult* result = PQprepare(connection_, name, statement, count, types);
    const bool isGood = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!isGood) throw Failure(std::string("PostgreSQL: ") + PQerrorMessage(connection_));
}

void PostgresChannel::putMember(u32) { throw Failure("members of PostgreSQL come with its schema"); }

void PostgresChannel::putActions(std::span<const Action> actions, u64 seed) {
    if (isBatch_) return putBatch(actions, seed);
    for (const Action& action : actions) putOne(action, seed);
}

void PostgresChannel::putOne(const Action& action, u64 seed) {
    const std::string id = idOf(action, seed);
    const u32 member = __builtin_bswap32(action.performer);
    const u32 cents = __builtin_bswap32(action.cents);
    const u64 time = __builtin_bswap64(static_cast<u64>(microseconds(action)));
    const char* values[] = {id.data(), reinterpret_cast<const char*>(&member), reinterpret_cast<const char*>(&cents),
                            reinterpret_cast<const char*>(&time)};
    const int lengths[] = {static_cast<int>(id.size()), 4, 4, 8};
    const int formats[] = {1, 1, 1, 1};
    if (PQsendQueryPrepared(connection_, "action", 4, values, lengths, formats, 0) != 1)
        throw Failure(std::string("PostgreSQL: ") + PQerrorMessage(connection_));
    pending_.push_back(1);
    sync();
}

void PostgresChannel::putBatch(std::span<const Action> actions, u64 seed) {
    beginArray(ids_, textType, actions.size());
    beginArray(members_, int4Type, actions.size());
    beginArray(values_, int4Type, actions.size());
    beginArray(times_, timeType, actions.size());
    for (const Action& action : actions) {
        const std::string id = idOf(action, seed);
        append(ids_, static_cast<u32>(id.size()));
        ids_ += id;
        append(members_, u32(4));
        append(members_, action.performer);
        append(values_, u32(4));
        append(values_, action.cents);
        append(times_, u32(8));
        append(times_, microseconds(action));
    }
    const char* values[] = {ids_.data(), members_.data(), values_.data(), times_.data()};
    const int lengths[] = {static_cast<int>(ids_.size()), static_cast<int>(members_.size()),
                           static_cast<int>(values_.size()), static_cast<int>(times_.size())};
    const int formats[] = {1, 1, 1, 1};
    if (PQsendQueryPrepared(connection_, "batch", 4, values, lengths, formats, 0) != 1)
        throw Failure(std::string("PostgreSQL: ") + PQerrorMessage(connection_));
    pending_.push_back(actions.size());
    sync();
}

void PostgresChannel::ask(const Question& question) {
    const char* name = "rank";
    u32 number = question.member;
    switch (question.kind) {
    case Question::Kind::wallet: name = "wallet"; break;
    case Question::Kind::rank: break;
    case Question::Kind::around: name = "around"; break;
    case Question::Kind::top10: name = "top", number = 10; break;
    case Question::Kind::top100: name = "top", number = 100; break;
    }
    number = __builtin_bswap32(number);
    const char* values[] = {reinterpret_cast<const char*>(&number)};
    const int length = 4, format = 1;
    if (PQsendQueryPrepared(connection_, name, 1, values, &length, &format, 0) != 1)
        throw Failure(std::string("PostgreSQL: ") + PQerrorMessage(connection_));
    pending_.push_back(1);
    sync();
}

/// Ends the transaction: every query in flight is one of its own.
void PostgresChannel::sync() {
    if (PQpipelineSync(connection_) != 1) throw Failure(std::string("PostgreSQL: ") + PQerrorMessage(connection_));
}

bool PostgresChannel::flush() { return PQflush(connection_) == 0; }

void PostgresChannel::receive(Answers& answers) {
    if (PQconsumeInput(connection_) != 1) throw Failure(std::string("PostgreSQL: ") + PQerrorMessage(connection_));
    // A nil stands behind every query; two of them in a row mean that nothing is in flight.
    for (int nils = 0; nils < 2 && PQisBusy(connection_) == 0;) {
        PGresult* result = PQgetResult(connection_);
        if (!result) {
            ++nils;
            continue;
        }
        nils = 0;
        take(result, answers);
        PQclear(result);
    }
}

void PostgresChannel::take(pg_result* result, Answers& answers) {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) return;
    if (pending_.empty()) throw Failure("PostgreSQL: an answer to nothing");
    const std::size_t count = pending_.front();
    pending_.pop_front();
    if (status != PGRES_TUPLES_OK) {
        for (std::size_t at = 0; at < count; ++at) answers.refuse(PQresultErrorMessage(result));
        return;
    }
    const std::string_view name = PQfname(result, 0);
    if (name != "score_action" && name != "score_batch") {
        ++answers.done;
        if (answers.texts) answers.texts->emplace_back(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
        return;
    }
    // A letter for each action: done, again, conflict, unknown member.
    const std::string_view verdicts = PQgetvalue(result, 0, 0);
    if (verdicts.size() != count) throw Failure("PostgreSQL: not one verdict for each action");
    for (const char verdict : verdicts) {
        if (verdict == 'd') ++answers.done;
        else if (verdict == 'a') ++answers.duplicates;
        else answers.refuse(verdicts.substr(0, 1));
    }
}

std::vector<std::vector<std::string>> postgresRows(const Endpoint& endpoint, const std::string& query) {
    PGconn* connection = open(endpoint);
    PGresult* result = PQexec(connection, query.c_str());
    if (PQresultStatus(result) != PGRES_TUPLES_OK) throw Failure(std::string("PostgreSQL: ") + PQerrorMessage(connection));
    std::vector<std::vector<std::string>> rows(static_cast<std::size_t>(PQntuples(result)));
    for (std::size_t row = 0; row < rows.size(); ++row)
        for (int column = 0; column < PQnfields(result); ++column)
            rows[row].emplace_back(PQgetvalue(result, static_cast<int>(row), column));
    PQclear(result);
    PQfinish(connection);
    return rows;
}

}  // namespace peers
