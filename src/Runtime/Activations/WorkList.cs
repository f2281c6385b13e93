namespace Concertina.Runtime.Activations;

/// <summary>A first-in first-out list whose items can leave from the middle at constant cost: a cancelled call must not stay.</summary>
internal sealed class WorkList
{
    private WorkItem? _last;

    internal WorkItem? First { get; private set; }

    internal void AddLast(WorkItem item)
    {
        item.List = this;
        item.Previous = _last;
        item.Next = null;
        if (_last is null)
        {
            First = item;
        }
        else
        {
            _last.Next = item;
        }

        _last = item;
    }

    internal void Remove(WorkItem item)
    {
        if (item.Previous is null)
        {
            First = item.Next;
        }
        else
        {
            item.Previous.Next = item.Next;
        }

        if (item.Next is null)
        {
            _last = item.Previous;
        }
        else
        {
            item.Next.Previous = item.Previous;
        }

        item.List = null;
        item.Next = null;
        item.Previous = null;
    }
}
