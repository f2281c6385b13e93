using System.Runtime.InteropServices;

namespace Concertina.Compute.Kernels;

/// <summary>Zeroed memory outside the garbage-collected heap, aligned to cache lines.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>Alignment of every buffer, in bytes.</summary>
    public const int Alignment = 64;

    private byte* _pointer;

    /// <summary>Allocates.</summary>
    public NativeBuffer(long byteCount)
    {
        ByteCount = byteCount;
        _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(byteCount, Alignment), Alignment);
        NativeMemory.Clear(_pointer, (nuint)byteCount);
        GC.AddMemoryPressure(Math.Max(byteCount, 1));
    }

    ~NativeBuffer() => Free();

    /// <summary>Bytes.</summary>
    public long ByteCount { get; }

    /// <summary>First byte; valid until disposal.</summary>
    public byte* Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_pointer is null, this);
            return _pointer;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer is not null)
        {
            NativeMemory.AlignedFree(_pointer);
            _pointer = null;
            GC.RemoveMemoryPressure(Math.Max(ByteCount, 1));
        }
    }
}
