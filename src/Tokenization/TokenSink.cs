using System.Buffers;

namespace Concertina.Tokenization;

/// <summary>Appends ids to the buffer of a caller and counts them.</summary>
internal ref struct TokenSink(IBufferWriter<int> output)
{
    private readonly IBufferWriter<int> _output = output;

    /// <summary>Count of ids written so far.</summary>
    public int Count { get; private set; }

    public void Add(int id)
    {
        _output.GetSpan(1)[0] = id;
        _output.Advance(1);
        Count++;
    }
}
