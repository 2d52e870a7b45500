#include "channel.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace peers {
namespace {

[[noreturn]] void fail(const std::string& what) { throw Failure(what + ": " + std::strerror(errno)); }

int openSocket(int port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) fail("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        fail("connect to port " + std::to_string(port));
    const int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return socket;
}

}  // namespace

StreamChannel::StreamChannel(int port) : socket_(openSocket(port)) {}

StreamChannel::~StreamChannel() { close(socket_); }

bool StreamChannel::flush() {
    while (outgoingStart_ < outgoingEnd_) {
        const ssize_t count = send(socket_, outgoing_.data() + outgoingStart_, outgoingEnd_ - outgoingStart_,
                                   MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return false;
        if (count < 0) fail("send");
        outgoingStart_ += static_cast<std::size_t>(count);
    }
    outgoingStart_ = outgoingEnd_ = 0;
    return true;
}

void StreamChannel::receive(Answers& answers) {
    if (incomingEnd_ == incoming_.size()) incoming_.resize(incoming_.size() * 2);
    const ssize_t count =
        recv(socket_, incoming_.data() + incomingEnd_, incoming_.size() - incomingEnd_, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) fail("receive");
    if (count == 0) throw Failure("the server ended a connection");
    incomingEnd_ += static_cast<std::size_t>(count);
    const std::size_t taken = scan({incoming_.data(), incomingEnd_}, answers);
    incomingEnd_ -= taken;
    std::memmove(incoming_.data(), incoming_.data() + taken, incomingEnd_);
}

std::string requestLine(int port, std::string_view line) {
    const int socket = openSocket(port);
    std::string text(line);
    text += '\n';
    if (send(socket, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) fail("send");
    std::string answer;
    char bytes[4096];
    while (answer.empty() || answer.back() != '\n') {
        const ssize_t count = recv(socket, bytes, sizeof bytes, 0);
        if (count <= 0) fail("receive");
        answer.append(bytes, static_cast<std::size_t>(count));
    }
    close(socket);
    answer.pop_back();
    return answer;
}

}  // namespace peers
