using Orleans;

namespace Concertina.Runtime.Tests.Conformance;

[GenerateSerializer]
[Alias("test.note")]
public sealed class Note
{
    [Id(0)] public string Text { get; set; } = "";

    [Id(1)] public List<int> Numbers { get; set; } = [];

    [Id(2)] public FrozenPart? Frozen { get; set; }

    [Id(3)][Immutable] public byte[] Shared { get; set; } = [];

    public string NotSent { get; set; } = "";
}

[GenerateSerializer]
[Immutable]
[Alias("test.frozen")]
public sealed record FrozenPart([property: Id(0)] string Name, [property: Id(1)] int Size);
