#include "server.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace guerdon {
namespace {

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

}  // namespace

Server::Server(State& state, Journal& journal, int port) : state_(state), journal_(journal) {
    listener_ = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
    checked(listen(listener_, 128), "listen");
    socklen_t length = sizeof address;
    checked(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
    port_ = ntohs(address.sin_port);
    poll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
    durable_ = checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
    watch(listener_, EPOLLIN, &listener_, EPOLL_CTL_ADD);
    watch(durable_, EPOLLIN, &durable_, EPOLL_CTL_ADD);
    journal_.startThread(durable_);
    if (parser_.allocate(receiveBytes)) throw std::bad_alloc();
}

Server::~Server() {
    for (const auto& peer : peers_) close(peer->socket);
    close(listener_);
    close(durable_);
    close(poll_);
}

void Server::watch(int descriptor, u32 events, void* whom, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = whom;
    checked(epoll_ctl(poll_, operation, descriptor, &event), "epoll_ctl");
}

void Server::run(int signalDescriptor) {
    watch(signalDescriptor, EPOLLIN, nullptr, EPOLL_CTL_ADD);
    epoll_event events[64];
    while (true) {
        const int count = epoll_wait(poll_, events, 64, -1);
        for (int at = 0; at < count; ++at) {
            void* whom = events[at].data.ptr;
            if (whom == nullptr) return;
            if (whom == &listener_) {
                accept();
            } else if (whom == &durable_) {
                u64 value;
                if (read(durable_, &value, sizeof value) == sizeof value) batchIsDurable();
            } else {
                Peer& peer = *static_cast<Peer*>(whom);
                if (events[at].events & EPOLLOUT) send(peer);
                if (events[at].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(peer);
            }
        }
        if (!batchIsLeaving_) closeBatch();
        std::erase_if(peers_, [](const auto& peer) { return peer->ended; });
    }
}

void Server::accept() {
    const int peer = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (peer < 0) return;
    const int yes = 1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    peers_.push_back(std::make_unique<Peer>());
    peers_.back()->socket = peer;
    watch(peer, EPOLLIN, peers_.back().get(), EPOLL_CTL_ADD);
}

void Server::receive(Peer& peer) {
    if (peer.ended) return;
    const ssize_t count = recv(peer.socket, peer.incoming.data() + peer.received, receiveBytes - peer.received, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return end(peer);
    const std::size_t before = peer.received;
    peer.received += static_cast<std::size_t>(count);
    const char* last = static_cast<const char*>(memrchr(peer.incoming.data() + before, '\n', peer.received - before));
    if (!last) {
        if (peer.received == receiveBytes) end(peer);  // a line too long
        return;
    }
    const auto whole = static_cast<std::size_t>(last + 1 - peer.incoming.data());
    take(peer, peer.incoming.data(), whole);
    peer.received -= whole;
    std::memmove(peer.incoming.data(), peer.incoming.data() + whole, peer.received);
}

void Server::take(Peer& peer, const char* lines, std::size_t count) {
    simdjson::ondemand::document_stream documents;
    if (parser_.iterate_many(lines, count, receiveBytes).get(documents)) return end(peer);
    for (auto&& document : documents) {
        simdjson::ondemand::document_reference reference;
        if (std::move(document).get(reference)) {
            applyRun(peer);
            return end(peer);  // not JSON, or not UTF-8
        }
        Read read{};
        const char* complaint;
        switch (decoder_.decode(reference, run_[runCount_], read, complaint)) {
        case Decoded::row:
            if (++runCount_ == State::runLength) applyRun(peer);
            break;
        case Decoded::read:
            applyRun(peer);
            answer(peer, read);
            break;
        case Decoded::wrong:
            applyRun(peer);
            refuse(peer, "bad_request", complaint);
            break;
        }
    }
    applyRun(peer);
    decoder_.forgetTexts();
}

void Server::applyRun(Peer& peer) {
    if (runCount_ == 0) return;
    LogBatch& batch = batches_[openBatch_];
    char* log = batch.reserve(runCount_ * State::recordBytesMax);
    batch.endAt(state_.apply(run_, runCount_, log, verdicts_));
    for (std::size_t at = 0; at < runCount_; ++at) {
        const Verdict& verdict = verdicts_[at];
        switch (verdict.outcome) {
        case Outcome::done: acknowledgement_.append(peer.open, verdict.position); break;
        case Outcome::duplicate:
            peer.open.text("{\"ok\":true,\"seq\":");
            peer.open.number(verdict.position);
            peer.open.text(run_[at].kind == Row::Kind::action ? ",\"duplicate\":true}\n" : ",\"created\":false}\n");
            break;
        case Outcome::conflict: refuse(peer, "conflict", "known with other content"); break;
        case Outcome::unknownMember: refuse(peer, "unknown_member", "there is no such member"); break;
        }
    }
    openRows_ += runCount_;
    runCount_ = 0;
}

void Server::refuse(Peer& peer, std::string_view code, std::string_view message) {
    peer.open.text("{\"ok\":false,\"error\":{\"code\":\"");
    peer.open.text(code);
    peer.open.text("\",\"message\":\"");
    peer.open.text(message);
    peer.open.text("\"}}\n");
    ++openRows_;
}

void Server::answer(Peer& peer, const Read& read) {
    Replies& out = peer.open;
    ++openRows_;
    if (read.kind == Read::Kind::wallet && state_.find(read.member) == State::nobody)
        return refuse(peer, "unknown_member", "there is no such member");
    out.text("{\"ok\":true,\"seq\":");
    out.number(state_.position());
    switch (read.kind) {
    case Read::Kind::wallet: answerWallet(out, read.member); break;
    case Read::Kind::rank: answerRank(out, read); break;
    case Read::Kind::top: answerTop(out, read); break;
    case Read::Kind::stats:
        out.text(",\"members\":");
        out.number(state_.members());
        out.text(",\"actions\":");
        out.number(state_.actions());
        // The journal counts on its own thread; between batches the numbers are those of the last one.
        out.text(",\"logBytes\":");
        out.number(journal_.bytesWritten());
        out.text(",\"logBatches\":");
        out.number(journal_.batchesWritten());
        break;
    case Read::Kind::ping:
    case Read::Kind::setup: break;
    }
    out.text("}\n");
}

void Server::answerWallet(Replies& out, std::string_view member) {
    const auto& balances = state_.member(state_.find(member));
    out.text(",\"member\":\"");
    out.text(member);
    out.text("\",\"balances\":[");
    if (balances.points > 0) {
        out.text("{\"currency\":\"PTS\",\"available\":\"");
        out.number(balances.points);
        out.text("\"}");
    }
    if (balances.cents > 0) {
        out.text(balances.points > 0 ? ",{\"currency\":\"USD\",\"available\":\"" : "{\"currency\":\"USD\",\"available\":\"");
        out.hundredths(balances.cents);
        out.text("\"}");
    }
    out.text("]");
}

void Server::answerRank(Replies& out, const Read& read) {
    const u32 member = state_.find(read.member);
    const Board* board = state_.board(read.month);
    const u64 score = board && member != State::nobody ? board->score(member) : 0;
    if (score == 0) return out.text(",\"rank\":null,\"score\":\"0\",\"entries\":[]");
    out.text(",\"rank\":");
    out.number(board->rank(score));
    out.text(",\"score\":\"");
    out.number(score);
    out.text("\",\"entries\":[]");
}

void Server::answerTop(Replies& out, const Read& read) {
    Board* board = state_.board(read.month);
    out.text(",\"board\":\"monthly\",\"total\":");
    out.number(board ? board->total() : 0);
    out.text(",\"entries\":[");
    if (board) {
        const auto& top = board->sortedTop(read.limit, [&](u32 member) { return state_.idOf(member); });
        const std::size_t count = std::min<std::size_t>({read.limit, top.size(), Board::kept});
        u64 rank = 0, scoreBefore = 0;
        for (std::size_t at = 0; at < count; ++at) {
            const u64 score = board->score(top[at]);
            if (score != scoreBefore) rank = at + 1;
            scoreBefore = score;
            out.text(at == 0 ? "{\"rank\":" : ",{\"rank\":");
            out.number(rank);
            out.text(",\"member\":\"");
            out.text(state_.idOf(top[at]));
            out.text("\",\"score\":\"");
            out.number(score);
            out.text("\"}");
        }
    }
    out.text("]");
}

// ---- batches -----------------------------------------------------------------------------------------------------

void Server::closeBatch() {
    if (openRows_ == 0) return;
    openRows_ = 0;
    for (const auto& peer : peers_) {
        if (peer->open.empty()) continue;
        if (peer->leaving.empty()) peer->leaving.swap(peer->open);
        else peer->leaving.text({peer->open.data(), peer->open.size()});  // not all was sent yet
        peer->open.clear();
        peer->waitsForRoom = false;
    }
    LogBatch& batch = batches_[openBatch_];
    batchIsLeaving_ = true;
    if (batch.empty()) return batchIsDurable();
    openBatch_ ^= 1;
    batches_[openBatch_].clear();
    if (peers_.size() > 1) return journal_.submit(batch);
    // Nobody else whom waiting would keep waiting: spare the two thread switches.
    journal_.writeNow(batch);
    batchIsDurable();
}

void Server::batchIsDurable() {
    batchIsLeaving_ = false;
    for (const auto& peer : peers_) send(*peer);
}

void Server::send(Peer& peer) {
    if (batchIsLeaving_ || peer.ended) return;  // what leaves with the batch on its way is not durable yet
    while (peer.sent < peer.leaving.size()) {
        const ssize_t count =
            ::send(peer.socket, peer.leaving.data() + peer.sent, peer.leaving.size() - peer.sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            if (!peer.waitsForRoom) watch(peer.socket, EPOLLIN | EPOLLOUT, &peer, EPOLL_CTL_MOD);
            peer.waitsForRoom = true;
            return;
        }
        if (count <= 0) return end(peer);
        peer.sent += static_cast<std::size_t>(count);
    }
    peer.leaving.clear();
    peer.sent = 0;
    if (peer.waitsForRoom) watch(peer.socket, EPOLLIN, &peer, EPOLL_CTL_MOD);
    peer.waitsForRoom = false;
}

void Server::end(Peer& peer) {
    if (peer.ended) return;
    peer.ended = true;
    close(peer.socket);
}

}  // namespace guerdon
