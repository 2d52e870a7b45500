import CIntrinsics
import Synchronization

/// Memory for the large tables of the state, in pages of 4 KiB cut from regions of 2 MiB that the system is asked to back
/// with huge pages.
///
/// Actions touch members at random. With small pages each touch also misses the processor's table of translations, which
/// on a virtual machine costs as much as the line itself; and a prefetch that misses it waits. One huge page holds what
/// 512 small ones would. Where the system has none to give, everything works as before, more slowly.
///
/// Pieces are found first-fit, so neighbours that are freed become one again. A region without pieces stays at hand, up to
/// half of what is in use: the system would clear it anew for whoever asks next, as ids do that come and go in
/// generations. ``trim(atMost:)`` gives the rest back when there is no work. Small pieces come from the ordinary heap: an
/// empty workspace must not cost a region. What is larger than a region is mapped by itself.
///
/// The system is never asked under the lock: it may take tens of milliseconds to give or take a large piece, and the thread
/// that has it do so may be one that nobody waits for.
enum StateMemory {
    /// Size and alignment of a page.
    static let pageBytes = 4096
    /// What is smaller comes from the heap.
    static let leastBytes = 16 << 10

    private static let regions = Mutex(Regions())

    /// Undefined bytes on a multiple of 64, and of 4,096 from ``leastBytes`` on.
    static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        if byteCount < leastBytes { return .allocate(byteCount: byteCount, alignment: cacheLineBytes) }
        let pages = (byteCount + pageBytes - 1) / pageBytes
        if pages > Regions.pagesPerRegion { return map(Regions.whole(pages)) }
        while true {
            if let piece = regions.withLock({ $0.take(pages: pages) }) { return piece }
            // Another thread may be quicker to cut the new region up.
            guard addRegion() else { outOfMemory(Regions.regionBytes) }
        }
    }

    private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer {
        guard let address = cintrinsics_map_regions(byteCount, Regions.regionBytes) else { outOfMemory(byteCount) }
        cintrinsics_touch_regions(address, byteCount)
        return address
    }

    private static func outOfMemory(_ byteCount: Int) -> Never {
        fatalError("the system has no \(byteCount) bytes of memory left for the state")
    }

    private static let room = Mutex(RegionRoom())

    private static func addRegion() -> Bool {
        guard let base = room.withLock({ $0.take() }) else { return false }
        cintrinsics_touch_regions(UnsafeMutableRawPointer(bitPattern: base), Regions.regionBytes)
        regions.withLock { $0.add(base) }
        return true
    }

    /// Frees what `allocate` gave for the same `byteCount`.
    static func free(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        if byteCount < leastBytes { return address.deallocate() }
        let pages = (byteCount + pageBytes - 1) / pageBytes
        if pages > Regions.pagesPerRegion { return cintrinsics_unmap_regions(address, Regions.whole(pages)) }
        let place = UInt(bitPattern: address)
        if let base = regions.withLock({ $0.give(place, pages: pages) }) {
            cintrinsics_unmap_regions(UnsafeMutableRawPointer(bitPattern: base), Regions.regionBytes)
        }
    }

    /// An array that ``free(_:count:)`` ends.
    static func allocate<Element: BitwiseCopyable>(
        _ type: Element.Type, count: Int
    ) -> UnsafeMutablePointer<Element> {
        allocate(byteCount: max(count, 1) * MemoryLayout<Element>.stride).bindMemory(to: type, capacity: count)
    }

    /// Frees an array of `count` elements.
    static func free<Element: BitwiseCopyable>(_ array: UnsafeMutablePointer<Element>, count: Int) {
        free(UnsafeMutableRawPointer(array), byteCount: max(count, 1) * MemoryLayout<Element>.stride)
    }

    /// Whether the next region that is needed should be made beforehand. Cheap: one load.
    static var isShort: Bool { shortage.load(ordering: .relaxed) }
    fileprivate static let shortage = Atomic<Bool>(false)

    /// Has empty regions ready, for `byteCount` bytes beyond what a growing state wants at hand.
    ///
    /// Touching new memory may take milliseconds, where the machine is a virtual one: that is why this is called on a thread
    /// that nobody waits for.
    static func prepare(byteCount: Int) {
        while regions.withLock({ $0.needsRegion(for: byteCount) }) {
            guard addRegion() else { return }
        }
    }

    /// Gives back what ``prepare(byteCount:)`` made ready and what was kept when it was freed, beyond what a growing state
    /// wants at hand; at most so many regions.
    static func trim(atMost count: Int = .max) {
        for _ in 0..<count {
            guard let base = regions.withLock({ $0.removeSpare() }) else { return }
            cintrinsics_unmap_regions(UnsafeMutableRawPointer(bitPattern: base), Regions.regionBytes)
        }
    }
}

/// Address space for regions to come, mapped many at a time: mapping has to wait for whoever touches memory, and the other way
/// round.
private struct RegionRoom {
    private static let regionsAtOnce = 32
    private var next: UInt = 0
    private var left = 0

    /// Where the next region may lie; `nil` when there is no room.
    mutating func take() -> UInt? {
        if left == 0 {
            guard
                let room = cintrinsics_map_regions(Self.regionsAtOnce * Regions.regionBytes, Regions.regionBytes)
            else { return nil }
            next = UInt(bitPattern: room)
            left = Self.regionsAtOnce
        }
        defer {
            next += UInt(Regions.regionBytes)
            left -= 1
        }
        return next
    }
}

/// All regions of the process.
private struct Regions {
    static let pagesPerRegion = 512
    static let regionBytes = pagesPerRegion * StateMemory.pageBytes

    /// A region of 2 MiB: which of its pages are free.
    private struct Region {
        let base: UInt
        var free = PageSet.all
        var freeCount = pagesPerRegion
    }

    private var regions: [Region] = []
    /// For each region a length that no run of free pages exceeds; apart, so that a search reads little.
    private var longestRuns: [UInt16] = []
    private var numbers: [UInt: Int] = [:]
    private var emptyRegions = 0 {
        // Every change of the regions changes this number as well.
        didSet {
            StateMemory.shortage.store(regions.count >= 8 && emptyRegions < wantedRegions, ordering: .relaxed)
        }
    }
    /// Bytes that somebody wants at hand beyond the usual.
    private var preparedBytes = 0

    /// A piece of a region that has room for it; `nil` when none has.
    mutating func take(pages: Int) -> UnsafeMutableRawPointer? {
        for number in longestRuns.indices where Int(longestRuns[number]) >= pages {
            if let first = regions[number].free.run(of: pages) { return take(pages, from: number, at: first) }
            longestRuns[number] = UInt16(pages - 1)
        }
        return nil
    }

    mutating func add(_ base: UInt) {
        numbers[base] = regions.count
        regions.append(Region(base: base))
        longestRuns.append(UInt16(Self.pagesPerRegion))
        emptyRegions += 1
    }

    /// Empty regions to have at hand: none for a small state, a few for one that grows.
    private var wantedRegions: Int { regions.count < 8 ? 1 : min(4, regions.count / 8) }

    mutating func needsRegion(for byteCount: Int) -> Bool {
        // Remembered until somebody asks for more or less: what is freed then stays, and nobody waits while it is unmapped.
        if byteCount > 0 { preparedBytes = byteCount }
        return emptyRegions < wantedRegions + byteCount / Self.regionBytes
    }

    /// Takes a piece back.
    ///
    /// - Returns: where a region lies that nobody needs any more, to be unmapped.
    mutating func give(_ address: UInt, pages: Int) -> UInt? {
        let base = address & ~UInt(Self.regionBytes - 1)
        guard let number = numbers[base] else { preconditionFailure("memory that no region holds") }
        let first = Int(address - base) / StateMemory.pageBytes
        regions[number].free.set(first, pages, true)
        regions[number].freeCount += pages
        longestRuns[number] = UInt16(Self.pagesPerRegion)
        guard regions[number].freeCount == Self.pagesPerRegion else { return nil }
        emptyRegions += 1
        let wanted = wantedRegions + (preparedBytes + Self.regionBytes - 1) / Self.regionBytes
        let kept = (regions.count - emptyRegions) / 2
        return emptyRegions > max(wanted, kept) ? remove(number) : nil
    }

    /// A region without pieces that is one too many; `nil` when there is none.
    mutating func removeSpare() -> UInt? {
        preparedBytes = 0
        guard emptyRegions > wantedRegions,
            let number = regions.lastIndex(where: { $0.freeCount == Self.pagesPerRegion })
        else { return nil }
        return remove(number)
    }

    private mutating func take(_ pages: Int, from number: Int, at first: Int) -> UnsafeMutableRawPointer {
        if regions[number].freeCount == Self.pagesPerRegion { emptyRegions -= 1 }
        regions[number].free.set(first, pages, false)
        regions[number].freeCount -= pages
        return UnsafeMutableRawPointer(bitPattern: regions[number].base + UInt(first * StateMemory.pageBytes))
            .unsafelyUnwrapped
    }

    private mutating func remove(_ number: Int) -> UInt {
        let base = regions[number].base
        numbers[base] = nil
        let last = regions.removeLast()
        let run = longestRuns.removeLast()
        if number < regions.count {
            regions[number] = last
            longestRuns[number] = run
            numbers[last.base] = number
        }
        emptyRegions -= 1
        return base
    }

    /// Bytes of the regions that hold so many pages.
    static func whole(_ pages: Int) -> Int {
        (pages * StateMemory.pageBytes + regionBytes - 1) / regionBytes * regionBytes
    }
}

/// A set of the 512 pages of a region.
private struct PageSet {
    private var words: [8 of UInt64]

    static let all = PageSet(words: [8 of UInt64](repeating: UInt64.max))

    mutating func set(_ first: Int, _ count: Int, _ isMember: Bool) {
        var page = first
        let end = first + count
        while page < end {
            let bits = min(64 - page & 63, end - page)
            let mask = (bits == 64 ? UInt64.max : 1 << UInt64(bits) - 1) << UInt64(page & 63)
            precondition(words[page >> 6] & mask == (isMember ? 0 : mask), "a page is taken or freed twice")
            words[page >> 6] ^= mask
            page += bits
        }
    }

    /// Where the first `count` members in a row begin.
    func run(of count: Int) -> Int? {
        var (page, length) = (0, 0)
        while page < 512 {
            let rest = words[page >> 6] >> UInt64(page & 63)
            let left = 64 - page & 63
            let members = min((~rest).trailingZeroBitCount, left)
            length += members
            if length >= count { return page + members - length }
            if members == left {
                page += left
            } else {
                length = 0
                page += members + min((rest >> UInt64(members)).trailingZeroBitCount, left - members)
            }
        }
        return nil
    }
}
