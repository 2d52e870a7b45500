/// A sparse array of values that most members do not have, in pages that are made when first written.
///
/// A plain value with copy-on-write pages: a snapshot keeps a copy, and a write behind it copies one page.
struct Pages<Element> {
    private static var pageSize: Int { 64 }
    private var pages: ContiguousArray<ContiguousArray<Element?>> = []

    subscript(index: Int) -> Element? {
        get {
            let page = index / Self.pageSize
            guard page < pages.count, !pages[page].isEmpty else { return nil }
            return pages[page][index % Self.pageSize]
        }
        set {
            let page = index / Self.pageSize
            if page >= pages.count {
                guard newValue != nil else { return }
                pages.append(contentsOf: repeatElement([], count: page + 1 - pages.count))
            }
            if pages[page].isEmpty {
                guard newValue != nil else { return }
                pages[page] = ContiguousArray(repeating: nil, count: Self.pageSize)
            }
            pages[page][index % Self.pageSize] = newValue
        }
    }
}
