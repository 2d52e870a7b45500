// One thread reads, decodes, applies and answers; the journal's thread waits for the disk meanwhile.
#pragma once

#include "decode.hpp"
#include "journal.hpp"
#include "replies.hpp"

#include <memory>
#include <vector>

namespace guerdon {

class Server {
public:
    Server(State& state, Journal& journal, int port);
    ~Server();
    int port() const { return port_; }
    /// Serves until the process is told to end.
    void run(int signalDescriptor);

private:
    /// A connection: what came in and is not decoded yet, answers that wait for their batch, answers to be sent.
    struct Peer {
        int socket;
        std::vector<char> incoming = std::vector<char>(receiveBytes + simdjson::SIMDJSON_PADDING);
        std::size_t received = 0;
        Replies open;
        Replies leaving;
        std::size_t sent = 0;
        bool waitsForRoom = false;
        bool ended = false;
    };
    static constexpr std::size_t receiveBytes = std::size_t(1) << 20;

    void accept();
    void receive(Peer& peer);
    void take(Peer& peer, const char* lines, std::size_t count);
    void applyRun(Peer& peer);
    void answer(Peer& peer, const Read& read);
    void answerWallet(Replies& out, std::string_view member);
    void answerRank(Replies& out, const Read& read);
    void answerTop(Replies& out, const Read& read);
    void refuse(Peer& peer, std::string_view code, std::string_view message);

    void closeBatch();
    void batchIsDurable();
    void send(Peer& peer);
    void end(Peer& peer);
    void watch(int descriptor, u32 events, void* whom, int operation);

    State& state_;
    Journal& journal_;
    int listener_ = -1, poll_ = -1, durable_ = -1, port_ = 0;
    std::vector<std::unique_ptr<Peer>> peers_;

    simdjson::ondemand::parser parser_;
    Decoder decoder_;
    Row run_[State::runLength];
    Verdict verdicts_[State::runLength];
    std::size_t runCount_ = 0;
    Acknowledgement acknowledgement_;

    LogBatch batches_[2];
    int openBatch_ = 0;
    std::size_t openRows_ = 0;
    bool batchIsLeaving_ = false;
};

}  // namespace guerdon
