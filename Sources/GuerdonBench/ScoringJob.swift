/// The scoring job: who acts when, with which value, as a pure function of a seed and a position in the stream.
///
/// Members are `m0…`; the referrer of member *i* is *(i − 1) / fanout* rounded down. An action's performer is the lesser
/// of two uniform draws, its value 0.01 to 500.00 USD. A share of the positions send an earlier action again, with the
/// same external id and the same content. Nothing is kept, so the stream may be as long as one likes.
public struct ScoringJob: Sendable {
    /// One action's content.
    public struct Action: Sendable, Equatable {
        /// The number that makes the external id; the position where the action is sent for the first time.
        public let number: UInt64
        /// Which member acts, from 0.
        public let performer: UInt64
        /// The value in hundredths, 1 to 50,000.
        public let cents: UInt64
    }

    /// Makes the streams of two runs differ, and their external ids too.
    public let seed: UInt64
    /// How many members there are, 1 to 2³².
    public let members: UInt64
    /// How many members each member refers: 5 makes a bush, 1 a chain.
    public let fanout: UInt64
    /// Out of 2³² positions, how many send an earlier action again.
    private let duplicateThreshold: UInt64

    /// An action is sent again at most so many positions later.
    public static let duplicateDistanceMax: UInt64 = 1 << 20

    /// Describes a job.
    ///
    /// - Parameters:
    ///   - members: 1 to 2³².
    ///   - duplicates: the share of positions that send an earlier action again, 0 to 0.9.
    ///   - fanout: how many members each one refers, at least 1.
    public init(seed: UInt64, members: Int, duplicates: Double, fanout: Int = 5) {
        precondition(members >= 1 && members <= 1 << 32 && duplicates >= 0 && duplicates <= 0.9 && fanout >= 1)
        self.seed = seed
        self.members = UInt64(members)
        self.fanout = UInt64(fanout)
        duplicateThreshold = UInt64(duplicates * 0x1p32)
    }

    /// Who referred a member; nil for the first one.
    public func referrer(of member: UInt64) -> UInt64? {
        member == 0 ? nil : (member - 1) / fanout
    }

    /// The number of the action that is sent at a position: the position itself, or an earlier one.
    @inline(__always)
    public func number(at position: UInt64) -> UInt64 {
        var position = position
        while true {
            let draw = Self.mixed(position &* 2 &+ 1, seed: seed)
            guard draw & 0xFFFF_FFFF < duplicateThreshold, position > 0 else { return position }
            // The one that is sent again may itself have been sent again: then it is the one before that.
            position -= 1 + Self.scaled(draw >> 32, below: min(position, Self.duplicateDistanceMax))
        }
    }

    /// The content of the action with a number.
    @inline(__always)
    public func action(_ number: UInt64) -> Action {
        let who = Self.mixed(number &* 2, seed: seed)
        let what = Self.mixed(who, seed: seed)
        let one = Self.scaled(who & 0xFFFF_FFFF, below: members)
        let other = Self.scaled(who >> 32, below: members)
        let cents = 1 + Self.scaled(what & 0xFFFF_FFFF, below: 50_000)
        return Action(number: number, performer: min(one, other), cents: cents)
    }

    /// A draw of 32 bits as a number below a bound.
    @inline(__always)
    static func scaled(_ draw: UInt64, below bound: UInt64) -> UInt64 { (draw * bound) >> 32 }

    /// A well mixed function of a number (the finisher of SplitMix64).
    @inline(__always)
    static func mixed(_ value: UInt64, seed: UInt64) -> UInt64 {
        var mix = value &* 0x9E37_79B9_7F4A_7C15 &+ seed &* 0xD1B5_4A32_D192_ED03 &+ 0x2545_F491_4F6C_DD1D
        mix = (mix ^ (mix >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mix = (mix ^ (mix >> 27)) &* 0x94D0_49BB_1331_11EB
        return mix ^ (mix >> 31)
    }
}
