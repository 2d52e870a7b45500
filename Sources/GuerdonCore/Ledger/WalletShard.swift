/// The wallets of one shard of one workspace: a column for each currency, the dated lots, and the queue of their expiries.
///
/// Invariants: `balance == undated + Σ lots` or, while the member owes, all lots and `undated` are 0; a wallet's lots
/// are in order of (expires, sequence); every dated lot, live or spent, stands once in the expiry queue.
final class WalletShard {
    private(set) var wallets: ContiguousArray<Column<Wallet>> = []
    let lots: Column<Lot>
    private var freeLot = Lot.none
    private(set) var queue = ExpiryQueue()
    private let pool: BlockPool
    private var members = 0

    init() {
        pool = BlockPool()
        lots = Column(default: Lot(), pool: pool)
    }

    deinit {
        for column in wallets { column.deallocate() }
        lots.deallocate()
        pool.deallocate()
    }

    /// Makes room for one more currency.
    func addCurrency() {
        let column = Column(default: Wallet(), pool: pool)
        column.grow(to: members)
        wallets.append(column)
    }

    /// Makes wallets for members up to `count`.
    func grow(to count: Int) {
        members = count
        for column in wallets { column.grow(to: count) }
    }

    /// Adds value; a debt is paid first and only the rest reaches a lot.
    ///
    /// - Parameter expires: `nil` for value that never expires.
    @inline(__always)
    func credit(local: Int, currency: Int, amount: Int64, expires: Int64?, sequence: UInt64) {
        let column = wallets[currency]
        var wallet = column[local]
        if let expires {
            let toLot = wallet.balance < 0 ? max(0, amount + wallet.balance) : amount
            wallet.balance += amount
            wallet.lastSequence = sequence
            if toLot > 0 {
                insertLot(
                    &wallet, local: local, currency: currency, amount: toLot, expires: expires, sequence: sequence)
            }
        } else {
            wallet.credit(undated: amount, sequence: sequence)
        }
        column[local] = wallet
    }

    /// Takes `amount` (at most what is available) from the lots, oldest expiry first, the undated one last.
    func spend(local: Int, currency: Int, amount: Int64, sequence: UInt64) {
        let column = wallets[currency]
        var wallet = column[local]
        precondition(amount >= 0 && amount <= wallet.available)
        wallet.balance -= amount
        wallet.lastSequence = sequence
        take(&wallet, amount)
        column[local] = wallet
    }

    /// Takes back up to `amount` of what the command at `origin` credited: from its own lot, then from the others.
    ///
    /// - Parameters:
    ///   - expires: the credit's expiry; `nil` when it had none.
    ///   - becomesDebt: whether what is missing makes the balance negative.
    /// - Returns: what the balance went down by.
    func takeBack(
        local: Int, currency: Int, amount: Int64, origin: UInt64, expires: Int64?, becomesDebt: Bool, sequence: UInt64
    ) -> Int64 {
        let column = wallets[currency]
        var wallet = column[local]
        let fromLots = min(amount, wallet.available)
        let total = becomesDebt ? amount : fromLots
        guard total > 0 else { return 0 }
        wallet.balance -= total
        wallet.lastSequence = sequence
        var rest = fromLots
        if let expires {
            rest -= takeFromLot(&wallet, origin: origin, expires: expires, upTo: rest)
        } else {
            let part = min(rest, wallet.undated)
            takeUndated(&wallet, part)
            rest -= part
        }
        take(&wallet, rest)
        column[local] = wallet
        return total
    }

    /// The earliest instant at which a live lot expires.
    func nextExpiry() -> Int64? {
        while let first = queue.first {
            if lots[Int(first.lot)].amount > 0 { return first.expires }
            queue.removeFirst()
            free(first.lot)
        }
        return nil
    }

    /// Takes all live lots with `expires <= time` out of the queue; the caller settles them with ``expire(_:sequence:)``.
    func popExpired(at time: Int64) -> [(lot: UInt32, value: Lot)] {
        var due: [(lot: UInt32, value: Lot)] = []
        while let first = queue.first, first.expires <= time {
            queue.removeFirst()
            let lot = lots[Int(first.lot)]
            if lot.amount > 0 { due.append((first.lot, lot)) } else { free(first.lot) }
        }
        return due
    }

    /// Ends a lot that ``popExpired(at:)`` gave.
    func expire(_ index: UInt32, sequence: UInt64) {
        let lot = lots[Int(index)]
        let column = wallets[Int(lot.currency)]
        var wallet = column[Int(lot.local)]
        unlink(&wallet, index)
        wallet.balance -= lot.amount
        wallet.lastSequence = sequence
        column[Int(lot.local)] = wallet
        free(index)
    }

    /// The wallet's lots, oldest expiry first, the undated one last.
    func lotViews(local: Int, currency: Int) -> [LotView] {
        let wallet = wallets[currency][local]
        var views: [LotView] = []
        forEachLot(wallet) { _, lot in
            views.append(LotView(amount: lot.amount, expires: lot.expires, source: lot.sequence))
        }
        if wallet.undated > 0 {
            let source = wallet.undatedSource
            views.append(
                LotView(amount: wallet.undated, expires: nil, source: source == Wallet.severalSources ? nil : source))
        }
        return views
    }

    func forEachLot(_ wallet: Wallet, _ body: (UInt32, Lot) -> Void) {
        guard wallet.lastLot != Lot.none else { return }
        var index = lots[Int(wallet.lastLot)].next
        while true {
            let lot = lots[Int(index)]
            body(index, lot)
            if index == wallet.lastLot { return }
            index = lot.next
        }
    }

    /// Puts a wallet and its lots back as a snapshot held them.
    func restore(local: Int, currency: Int, wallet: Wallet, lots restored: [Lot]) {
        var wallet = wallet
        wallet.lastLot = Lot.none
        for lot in restored {
            link(&wallet, newLot(lot))
        }
        wallets[currency][local] = wallet
    }
}

extension WalletShard {
    private func newLot(_ lot: Lot) -> UInt32 {
        let index: UInt32
        if freeLot != Lot.none {
            index = freeLot
            freeLot = lots[Int(index)].next
            lots[Int(index)] = lot
        } else {
            index = UInt32(lots.count)
            lots.append(lot)
        }
        queue.insert(expires: lot.expires, lot: index)
        return index
    }

    private func free(_ index: UInt32) {
        lots[Int(index)] = Lot(next: freeLot)
        freeLot = index
    }

    private func insertLot(
        _ wallet: inout Wallet, local: Int, currency: Int, amount: Int64, expires: Int64, sequence: UInt64
    ) {
        if wallet.lastLot != Lot.none {
            // Two credits of one command with the same expiry are one lot.
            var same = Lot.none
            if lots[Int(wallet.lastLot)].sequence == sequence, lots[Int(wallet.lastLot)].expires == expires {
                same = wallet.lastLot
            } else if expires <= lots[Int(wallet.lastLot)].expires {
                forEachLot(wallet) { index, lot in
                    if lot.sequence == sequence, lot.expires == expires { same = index }
                }
            }
            if same != Lot.none {
                lots[Int(same)].amount += amount
                return
            }
        }
        let lot = Lot(
            amount: amount, expires: expires, sequence: sequence, local: UInt32(local), currency: UInt16(currency))
        link(&wallet, newLot(lot))
    }

    private func link(_ wallet: inout Wallet, _ index: UInt32) {
        guard wallet.lastLot != Lot.none else {
            lots[Int(index)].next = index
            wallet.lastLot = index
            return
        }
        let lot = lots[Int(index)]
        if lots[Int(wallet.lastLot)].precedes(lot) {
            lots[Int(index)].next = lots[Int(wallet.lastLot)].next
            lots[Int(wallet.lastLot)].next = index
            wallet.lastLot = index
            return
        }
        var before = wallet.lastLot
        while true {
            let next = lots[Int(before)].next
            if lot.precedes(lots[Int(next)]) {
                lots[Int(index)].next = next
                lots[Int(before)].next = index
                return
            }
            before = next
        }
    }

    private func unlink(_ wallet: inout Wallet, _ index: UInt32) {
        if lots[Int(index)].next == index {
            wallet.lastLot = Lot.none
            return
        }
        var before = wallet.lastLot
        while lots[Int(before)].next != index { before = lots[Int(before)].next }
        lots[Int(before)].next = lots[Int(index)].next
        if wallet.lastLot == index { wallet.lastLot = before }
    }

    /// Takes from the dated lots in order, then from the undated one.
    private func take(_ wallet: inout Wallet, _ amount: Int64) {
        var rest = amount
        while rest > 0, wallet.lastLot != Lot.none {
            let first = lots[Int(wallet.lastLot)].next
            let part = min(rest, lots[Int(first)].amount)
            lots[Int(first)].amount -= part
            rest -= part
            if lots[Int(first)].amount == 0 { unlink(&wallet, first) }
        }
        takeUndated(&wallet, rest)
    }

    private func takeUndated(_ wallet: inout Wallet, _ amount: Int64) {
        wallet.undated -= amount
        precondition(wallet.undated >= 0, "a wallet's lots do not add up to its balance")
        if wallet.undated == 0 { wallet.undatedSource = 0 }
    }

    private func takeFromLot(
        _ wallet: inout Wallet, origin: UInt64, expires: Int64, upTo limit: Int64
    ) -> Int64 {
        var taken: Int64 = 0
        var emptied: [UInt32] = []
        forEachLot(wallet) { index, lot in
            guard lot.sequence == origin, lot.expires == expires, taken < limit else { return }
            let part = min(limit - taken, lot.amount)
            lots[Int(index)].amount -= part
            taken += part
            if lots[Int(index)].amount == 0 { emptied.append(index) }
        }
        for index in emptied { unlink(&wallet, index) }
        return taken
    }
}

/// The lots in order of expiry: a binary heap. Equal expiries come out in any order; the caller sorts what is due.
struct ExpiryQueue {
    struct Entry: BitwiseCopyable {
        var expires: Int64
        var lot: UInt32
    }
    private var heap: ContiguousArray<Entry> = []

    var first: Entry? { heap.first }

    mutating func insert(expires: Int64, lot: UInt32) {
        heap.append(Entry(expires: expires, lot: lot))
        var i = heap.count - 1
        while i > 0, heap[i].expires < heap[(i - 1) / 2].expires {
            heap.swapAt(i, (i - 1) / 2)
            i = (i - 1) / 2
        }
    }

    mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var i = 0
        while true {
            var child = 2 * i + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].expires < heap[child].expires { child += 1 }
            guard heap[child].expires < heap[i].expires else { return }
            heap.swapAt(i, child)
            i = child
        }
    }
}
