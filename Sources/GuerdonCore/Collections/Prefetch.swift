import CIntrinsics

/// Bytes of one cache line on every machine we measure on.
let cacheLineBytes = 64

/// Starts loading the line at `address`; a hint without effect on results.
@inline(__always)
func prefetchLine(_ address: UnsafeRawPointer) {
    cintrinsics_prefetch_read(address)
}

/// How many rows before its turn what a row needs is loaded.
///
/// A processor has a dozen or two loads from memory under way; what more is asked for is forgotten, and then waited for when it is
/// needed. So lines are not asked for all at once, but one after the other between pieces of work.
let prefetchDistance = 12

/// Rows that go through a stage together, see ``forEachTurn(_:_:lag:_:)``.
///
/// A processor has a dozen or two loads from memory under way. It forgets what more it is asked to load beforehand, and then
/// waits for that when it is needed: 64 at once cost twice as much each as 16.
let groupRows = 16

/// Takes `count` rows through stages, group by group: each stage comes to a group some turns after the first one, so that there is
/// time in between to load what the stages before it asked for.
///
/// - Parameters:
///   - order: the stages, in the order in which a turn goes through them.
///   - lag: how many turns behind the first stage one is: below the number of stages.
@inline(__always)
func forEachTurn<Order: Collection>(
    _ count: Int, _ order: Order, lag: (Order.Element) -> Int,
    _ body: (_ stage: Order.Element, _ group: Range<Int>) throws -> Void
) rethrows {
    let groups = (count + groupRows - 1) / groupRows
    for turn in 0..<groups + order.count - 1 {
        for stage in order {
            let number = turn - lag(stage)
            guard number >= 0, number < groups else { continue }
            try body(stage, number * groupRows..<min((number + 1) * groupRows, count))
        }
    }
}
