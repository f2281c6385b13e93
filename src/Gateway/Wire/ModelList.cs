namespace Concertina.Gateway.Wire;

/// <summary>The models a key may use.</summary>
internal sealed record ModelList(ModelObject[] Data)
{
    public string Object { get; } = "list";
}
