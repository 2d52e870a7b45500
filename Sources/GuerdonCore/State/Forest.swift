/// The referral forest: who referred whom. Links are added, never changed; a loop is refused before it exists.
struct Forest {
    /// "Nobody".
    static let none = UInt32.max

    private let referrers: Column<UInt32>
    private let firstChildren: Column<UInt32>
    private let nextSiblings: Column<UInt32>

    init() {
        referrers = Column(default: Forest.none)
        firstChildren = Column(default: Forest.none)
        nextSiblings = Column(default: Forest.none)
    }

    func deallocate() {
        referrers.deallocate()
        firstChildren.deallocate()
        nextSiblings.deallocate()
    }

    /// Makes members up to `count`, whom nobody referred.
    func grow(to count: Int) {
        referrers.grow(to: count)
        firstChildren.grow(to: count)
        nextSiblings.grow(to: count)
    }

    /// The referrer, or ``none``; a member who is still to be created has none.
    @inline(__always) func referrer(of member: UInt32) -> UInt32 {
        Int(member) < referrers.count ? referrers[Int(member)] : Forest.none
    }
    @inline(__always) func prefetch(_ member: UInt32) { referrers.prefetch(Int(member)) }

    /// Whether `member` stands somewhere above `other`.
    ///
    /// - Complexity: O(depth), and O(1) for a member who referred nobody.
    func isAncestor(_ member: UInt32, of other: UInt32) -> Bool {
        guard firstChildren[Int(member)] != Forest.none else { return false }
        var at = other
        while at != Forest.none {
            if at == member { return true }
            at = referrers[Int(at)]
        }
        return false
    }

    /// Makes `referrer` the referrer of `member`, who has none and is not above him.
    func link(_ member: UInt32, to referrer: UInt32) {
        precondition(referrers[Int(member)] == Forest.none && member != referrer)
        referrers[Int(member)] = referrer
        nextSiblings[Int(member)] = firstChildren[Int(referrer)]
        firstChildren[Int(referrer)] = member
    }

    /// Whom `member` referred, in order of their creation.
    func children(of member: UInt32) -> [UInt32] {
        var result: [UInt32] = []
        var child = firstChildren[Int(member)]
        while child != Forest.none {
            result.append(child)
            child = nextSiblings[Int(child)]
        }
        return result.sorted()
    }

    func freezeReferrers() -> FrozenColumn<UInt32> { referrers.freeze() }
    func thawReferrers(_ frozen: FrozenColumn<UInt32>) { referrers.thaw(frozen) }
}
