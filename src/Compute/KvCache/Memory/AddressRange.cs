using System.Runtime.InteropServices;

namespace Concertina.Compute.KvCache.Memory;

/// <summary>
/// One range of addresses, backed by memory only where it is touched. On Linux a lazily backed mapping whose pages can be
/// given back to the operating system; elsewhere ordinary native memory, which is held until disposal
/// (<see cref="ReturnsMemory"/> says which).
/// </summary>
internal sealed unsafe partial class AddressRange : IDisposable
{
    private const int ReadWrite = 0x1 | 0x2;
    private const int PrivateAnonymousNoReserve = 0x02 | 0x20 | 0x4000;
    private const int DontNeed = 4;
    private const nuint PageAlignment = 4096;

    private byte* _start;

    /// <summary>Reserves a range.</summary>
    /// <exception cref="InsufficientMemoryException">The operating system refuses the addresses.</exception>
    public AddressRange(long bytes)
    {
        Bytes = bytes;
        ReturnsMemory = OperatingSystem.IsLinux();
        _start = ReturnsMemory
            ? (byte*)Map(0, (nuint)bytes, ReadWrite, PrivateAnonymousNoReserve, -1, 0)
            : (byte*)NativeMemory.AlignedAlloc((nuint)bytes, PageAlignment);
        if (_start == null || (nint)_start == -1)
        {
            throw new InsufficientMemoryException(
                $"The operating system refused an address range of {bytes:N0} bytes (error {Marshal.GetLastPInvokeError()}). " +
                "Lower KvCache:BudgetBytes or raise the address space limit.");
        }
    }

    /// <summary>First byte of the range.</summary>
    /// <exception cref="ObjectDisposedException">The range was given back.</exception>
    public byte* Start => _start != null ? _start : throw new ObjectDisposedException(nameof(AddressRange), "The KV arena was disposed.");

    /// <summary>Bytes of the range.</summary>
    public long Bytes { get; }

    /// <summary>True when <see cref="Discard"/> gives memory back; false on systems other than Linux.</summary>
    public bool ReturnsMemory { get; }

    /// <summary>Gives the memory behind a part back to the operating system; its content is lost.</summary>
    /// <returns>False when the system cannot, and the memory stays held.</returns>
    public bool Discard(long offset, long bytes) =>
        ReturnsMemory && Advise((nint)(Start + offset), (nuint)bytes, DontNeed) == 0;

    public void Dispose()
    {
        if (_start == null)
        {
            return;
        }
        if (ReturnsMemory)
        {
            _ = Unmap((nint)_start, (nuint)Bytes);
        }
        else
        {
            NativeMemory.AlignedFree(_start);
        }
        _start = null;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
