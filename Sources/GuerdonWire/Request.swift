public import GuerdonCore

/// When a command's reply leaves, and how much it says.
public enum AckMode: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// One reply a command.
    case each = 0
    /// One reply a command that also says what was paid.
    case detail = 1
    /// Now and then one reply for all commands up to a number; refusals one by one.
    case cumulative = 2

    /// The name on the wire.
    public var name: String {
        switch self {
        case .each: "each"
        case .detail: "detail"
        case .cumulative: "cumulative"
        }
    }
}

/// What a connection's requests mean when they do not say so themselves.
public struct ConnectionDefaults: Equatable, Sendable {
    /// The workspace of requests without one.
    public var workspace: Text = "main"
    /// How commands are acknowledged.
    public var ack = AckMode.each
    /// A `hello` with another workspace, until it is known whether there is one; nothing is decoded meanwhile.
    public internal(set) var awaited: Hello?

    /// The defaults of a connection that has not said hello.
    public init() {}

    /// Ends the wait for ``awaited``: the connection moves when the `hello` was accepted, and else stays as it was.
    public mutating func settle(isAccepted: Bool) {
        guard let hello = awaited else { return }
        awaited = nil
        guard isAccepted else { return }
        workspace = hello.workspace
        ack = hello.ack
    }
}

/// Everything that is not a plain command.
public enum Request: Equatable, Sendable {
    case hello(Hello)
    case ping
    /// Take a snapshot now.
    case snapshot
    case read(ReadRequest)
    case subscribe(Subscription)
    /// The number of the subscription to end.
    case unsubscribe(UInt64)
    /// A line that is not to be carried out.
    case refused(Refusal)
}

/// The first words of a connection.
public struct Hello: Equatable, Sendable {
    /// What the client shows to be let in; not needed on loopback.
    public var token: Text?
    /// The connection's workspace from here on.
    public var workspace: Text
    /// The connection's acknowledgement mode from here on.
    public var ack: AckMode

    /// Creates a hello.
    public init(token: Text?, workspace: Text, ack: AckMode) {
        self.token = token
        self.workspace = workspace
        self.ack = ack
    }
}

/// A wish to be told when something changes.
public struct Subscription: Hashable, Sendable {
    /// What is watched.
    public enum Stream: Hashable, Sendable {
        /// The first places of a board; `period` is `nil` for the current one.
        case board(Text, top: Int, period: Text?)
        /// A member's wallet.
        case member(Text)
        /// The counts of `stats`.
        case stats
    }

    public var workspace: Text
    public var stream: Stream

    /// Creates a subscription.
    public init(workspace: Text, _ stream: Stream) {
        self.workspace = workspace
        self.stream = stream
    }
}

/// A question about the state, decoded and within its limits; whether its names exist is for the answer to say.
public struct ReadRequest: Equatable, Sendable {
    /// What is asked.
    public enum Query: Equatable, Sendable {
        case member(Text)
        case wallet(member: Text, lots: Bool)
        /// `before` is the cursor of the page before, `nil` for the newest entries.
        case statement(member: Text, currency: Text?, limit: Int, before: Text?)
        case upline(member: Text, levels: Int)
        case downline(member: Text, levels: Int, limit: Int)
        /// `period` as written; `nil` is the current one.
        case boardTop(board: Text, limit: Int, period: Text?)
        /// `around` is how many places to list, 0 for none.
        case boardRank(board: Text, member: Text, around: Int, period: Text?)
        case explain(externalId: Text)
        case stats
    }

    public var workspace: Text
    public var query: Query

    /// Creates a question.
    public init(workspace: Text, _ query: Query) {
        self.workspace = workspace
        self.query = query
    }
}
